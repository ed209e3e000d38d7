-- $1 staff, $2 time step, $3 whether it may count. A step counts once; so does every step before it.
UPDATE staff SET totp_last_step = $2 WHERE staff_id = $1 AND totp_last_step < $2 AND $3 RETURNING true
