SELECT member_id, number, name, minor
FROM member_identity JOIN member USING (member_id)
WHERE member_id = ANY ($1::uuid[])
