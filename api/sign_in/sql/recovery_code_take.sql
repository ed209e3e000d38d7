-- $1 staff, $2 hash, $3 now, $4 whether it may count.
UPDATE recovery_code SET used_ns = $3 WHERE staff_id = $1 AND code_hash = $2 AND used_ns IS NULL AND $4 RETURNING true
