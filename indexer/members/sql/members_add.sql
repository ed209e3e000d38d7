-- $1 ids, $2 numbers, $3 names, $4 folded names, $5 minor, $6 now
WITH new AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[])
        AS n (member_id, number, name, search, minor)),
added AS (
    INSERT INTO member (member_id, created_ns, minor) SELECT member_id, $6, minor FROM new)
INSERT INTO member_identity (member_id, number, name, search) SELECT member_id, number, name, search FROM new
