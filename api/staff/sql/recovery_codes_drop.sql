DELETE FROM recovery_code WHERE staff_id = $1
