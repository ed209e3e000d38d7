-- $1 LIKE patterns that the folded name must all match, or $2 the number's; $3 how many.
SELECT member_id, number, name, minor
FROM member_identity JOIN member USING (member_id)
WHERE search LIKE ALL ($1::text[]) OR lower(number) LIKE $2
ORDER BY search, number
LIMIT $3
