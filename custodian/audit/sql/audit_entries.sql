-- $1 seq, $2 at most how many. The chain after that entry; `line` is what audit_line() hashes, taken apart from the
-- stored hash so that a changed entry shows.
SELECT e.seq, e.previous, e.hash, audit_line(e) AS line FROM audit_entry e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2
