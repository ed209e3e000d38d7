-- name: totp_take
-- $1 staff, $2 time step, $3 whether it may count. A step counts once; so does every step before it.
UPDATE staff SET totp_last_step = $2 WHERE staff_id = $1 AND totp_last_step < $2 AND $3 RETURNING true

-- name: recovery_code_take
-- $1 staff, $2 hash, $3 now, $4 whether it may count.
UPDATE recovery_code SET used_ns = $3 WHERE staff_id = $1 AND code_hash = $2 AND used_ns IS NULL AND $4 RETURNING true
