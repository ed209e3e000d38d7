-- name: members_by_number
SELECT number, member_id, name, minor FROM member_identity JOIN member USING (member_id)
WHERE number = ANY ($1::text[])
