UPDATE staff SET totp_secret = $2, totp_last_step = 0 WHERE staff_id = $1
