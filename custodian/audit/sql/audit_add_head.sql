-- A head that is there already was signed before a crash kept it from the file.
INSERT INTO audit_head (seq, hash, signed_ns, signature) VALUES ($1, $2, $3, $4) ON CONFLICT (seq) DO NOTHING
