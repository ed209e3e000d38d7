DELETE FROM staff_grant WHERE staff_id = $1
