UPDATE sign_in_throttle SET failures = greatest(failures - 1, 0), blocked_until_ns = 0 WHERE throttle_key = $1
