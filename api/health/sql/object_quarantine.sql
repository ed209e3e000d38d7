SELECT object_name, found_ns, reason FROM object_quarantine ORDER BY found_ns DESC LIMIT 200
