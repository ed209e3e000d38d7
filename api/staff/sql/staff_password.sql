UPDATE staff SET password_hash = $2 WHERE staff_id = $1
