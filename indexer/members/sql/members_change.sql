-- $1 ids, $2 numbers (as they are), $3 names, $4 folded names, $5 minor
WITH said AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[])
        AS s (member_id, number, name, search, minor)),
renamed AS (
    UPDATE member_identity SET name = said.name, search = said.search FROM said
    WHERE member_identity.member_id = said.member_id)
UPDATE member SET minor = said.minor FROM said WHERE member.member_id = said.member_id
