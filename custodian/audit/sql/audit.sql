-- name: audit_entries
-- $1 seq, $2 at most how many. The chain after that entry. `line` is serialized anew from the present columns, not taken
-- from what was hashed then, so that a changed column no longer matches the stored hash.
SELECT e.seq, e.previous, e.hash, audit_line(e) AS line FROM audit_entry e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2

-- name: resume_chain
-- $1 seq, $2 at_ns, $3 the hash that it goes on from, $4 detail. By the owner, after a restoration.
WITH made AS (
    SELECT jsonb_populate_record(NULL::audit_entry, jsonb_build_object('seq', $1::bigint, 'at_ns', $2::bigint,
        'writer', session_user, 'actor', 'operator', 'action', 'audit_resumed', 'detail', $4::jsonb)) AS e
)
INSERT INTO audit_entry (seq, at_ns, writer, actor, action, detail, previous, hash)
SELECT $1, $2, session_user, 'operator', 'audit_resumed', $4::jsonb, $3::bytea, sha256($3::bytea || audit_line(e)) FROM made
