-- name: audit_entries
-- $1 seq, $2 at most how many. The chain after that entry; `line` is what audit_line() hashes, taken apart from the
-- stored hash so that a changed entry shows.
SELECT e.seq, e.previous, e.hash, audit_line(e) AS line FROM audit_entry e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2

-- name: audit_add_head
-- A head that is there already was signed before a crash kept it from the file.
INSERT INTO audit_head (seq, hash, signed_ns, signature) VALUES ($1, $2, $3, $4) ON CONFLICT (seq) DO NOTHING
