-- name: rights
SELECT role, field, level FROM register_right

-- name: rights_drop
DELETE FROM register_right

-- name: rights_set
-- $1 roles, $2 fields, $3 levels
INSERT INTO register_right (role, field, level) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])

-- name: grants_of
-- $1 staff. No row: no such account.
SELECT (SELECT coalesce(jsonb_agg(jsonb_build_array(g.role, g.site_id, g.camera_id)), '[]')
        FROM staff_grant g WHERE g.staff_id = u.staff_id)::text AS grants
FROM staff u WHERE u.staff_id = $1

-- name: member_add
-- $1 id, $2 number, $3 name, $4 the name folded, $5 now. No row: the number is taken, and the caller rolls back.
WITH added AS (INSERT INTO member (member_id, created_ns) VALUES ($1, $5))
INSERT INTO member_identity (member_id, number, name, search) VALUES ($1, $2, $3, $4)
ON CONFLICT (number) DO NOTHING RETURNING member_id
