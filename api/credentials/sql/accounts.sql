-- name: staff_add
-- $1 id, $2 user name, $3 display name, $4 password hash, $5 sealed TOTP secret, $6 now. No row: the name is taken.
INSERT INTO staff (staff_id, user_name, display_name, password_hash, totp_secret, created_ns)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_name) DO NOTHING RETURNING staff_id

-- name: recovery_codes_add
INSERT INTO recovery_code (staff_id, code_hash) SELECT $1, unnest($2::bytea[])

-- name: grant_add
INSERT INTO staff_grant (grant_id, staff_id, role, site_id, camera_id) VALUES ($1, $2, $3, $4, $5)

-- name: staff_by_name
SELECT staff_id, password_hash, totp_secret FROM staff WHERE user_name = $1 AND disabled_ns IS NULL

-- name: staff_exist
-- Whether any account exists; the first one is made on the command line.
SELECT EXISTS (SELECT FROM staff)
