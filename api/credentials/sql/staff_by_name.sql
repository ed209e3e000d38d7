SELECT staff_id, password_hash, totp_secret FROM staff WHERE user_name = $1 AND disabled_ns IS NULL
