-- $1 members with a credential each.
WITH made AS (
    INSERT INTO member (member_id, created_ns)
    SELECT md5('member' || n)::uuid, 0 FROM generate_series(1, $1::int) AS n
    RETURNING member_id)
INSERT INTO credential (credential, member_id, valid_from_ns)
SELECT upper(md5(member_id::text)), member_id, 0 FROM made
RETURNING credential
