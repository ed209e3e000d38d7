SELECT seq, hash, signed_ns, signature FROM audit_head ORDER BY seq DESC LIMIT 1
