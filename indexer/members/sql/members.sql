-- name: members_lock
-- One import at a time: it compares the list with the table and then writes the difference.
SELECT pg_advisory_xact_lock(7411222006)

-- name: credentials_known
SELECT * FROM credential WHERE credential = ANY ($1::text[]) OR member_id = ANY ($2::uuid[])
ORDER BY credential, valid_from_ns

-- name: members_add
-- $1 ids, $2 numbers, $3 names, $4 folded names, $5 minor, $6 now
WITH new AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[])
        AS n (member_id, number, name, search, minor)),
added AS (
    INSERT INTO member (member_id, created_ns, minor) SELECT member_id, $6, minor FROM new)
INSERT INTO member_identity (member_id, number, name, search) SELECT member_id, number, name, search FROM new

-- name: members_change
-- $1 ids, $2 numbers (as they are), $3 names, $4 folded names, $5 minor
WITH said AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[])
        AS s (member_id, number, name, search, minor)),
renamed AS (
    UPDATE member_identity SET name = said.name, search = said.search FROM said
    WHERE member_identity.member_id = said.member_id)
UPDATE member SET minor = said.minor FROM said WHERE member.member_id = said.member_id

-- name: credentials_remove
DELETE FROM credential USING unnest($1::text[], $2::bigint[]) AS gone (credential, valid_from_ns)
WHERE credential.credential = gone.credential AND credential.valid_from_ns = gone.valid_from_ns

-- name: credentials_add
INSERT INTO credential (credential, member_id, valid_from_ns, valid_to_ns)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[])

-- name: members_missing
-- $1 numbers of a list, $2 now. Members who hold a credential now or later, and whether the list names them.
SELECT member_id, number, name, number = ANY ($1::text[]) AS listed FROM member_identity
WHERE EXISTS (SELECT FROM credential WHERE credential.member_id = member_identity.member_id AND valid_to_ns > $2)
ORDER BY number

-- name: credentials_end
-- $1 member ids, $2 now. Credentials that had not begun yet are deleted: they never were valid, and an end before the
-- begin would violate the CHECK.
WITH never AS (DELETE FROM credential WHERE member_id = ANY ($1::uuid[]) AND valid_from_ns >= $2)
UPDATE credential SET valid_to_ns = $2
WHERE member_id = ANY ($1::uuid[]) AND valid_from_ns < $2 AND valid_to_ns > $2
