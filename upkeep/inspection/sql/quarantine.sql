-- name: quarantine_add
INSERT INTO object_quarantine (object_name, found_ns, reason) VALUES ($1, $2, $3)
ON CONFLICT (object_name) DO UPDATE SET reason = excluded.reason

-- name: quarantine_remove
DELETE FROM object_quarantine WHERE object_name = $1
