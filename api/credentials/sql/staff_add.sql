-- $1 id, $2 user name, $3 display name, $4 password hash, $5 sealed TOTP secret, $6 now. No row: the name is taken.
INSERT INTO staff (staff_id, user_name, display_name, password_hash, totp_secret, created_ns)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_name) DO NOTHING RETURNING staff_id
