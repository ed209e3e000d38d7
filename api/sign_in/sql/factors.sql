-- name: totp_take
-- $1 staff, $2 time step, $3 whether the code was right. A step is accepted once, and none before it (RFC 6238, 5.2): a code
-- that was watched while it was typed is useless. Runs for a wrong code as well, so that both take the same time.
-- $4 password hash and $5 secret as they were checked: neither has been replaced, nor the account disabled, when it counts.
UPDATE staff SET totp_last_step = $2
WHERE staff_id = $1 AND totp_last_step < $2 AND $3 AND password_hash = $4 AND totp_secret = $5 AND disabled_ns IS NULL
RETURNING true

-- name: recovery_code_take
-- $1 staff, $2 hash, $3 now, $4 whether the sign-in succeeds otherwise. One use: of two attempts at once one finds no row.
-- $5 password hash as it was checked. The account's row is locked, so that a reset either comes first and is seen here, or
-- comes later and ends the session that this code begins.
WITH holder AS (
    SELECT staff_id FROM staff WHERE staff_id = $1 AND password_hash = $5 AND disabled_ns IS NULL FOR NO KEY UPDATE)
UPDATE recovery_code AS c SET used_ns = $3 FROM holder
WHERE c.staff_id = holder.staff_id AND c.code_hash = $2 AND c.used_ns IS NULL AND $4
RETURNING true
