-- name: search_members
-- $1 LIKE patterns that the folded name must all match, or $2 the number's; $3 how many; $4 doors or NULL: only those
-- who have ever been at one of them.
SELECT member_id, number, name, minor
FROM member_identity JOIN member USING (member_id)
WHERE (search LIKE ALL ($1::text[]) OR lower(number) LIKE $2)
  AND ($4::uuid[] IS NULL OR EXISTS (SELECT FROM access_event e
           WHERE e.member_id = member_identity.member_id AND e.door_id = ANY ($4) AND e.superseded_by IS NULL))
ORDER BY search, number
LIMIT $3

-- name: members
SELECT member_id, number, name, minor
FROM member_identity JOIN member USING (member_id)
WHERE member_id = ANY ($1::uuid[])
