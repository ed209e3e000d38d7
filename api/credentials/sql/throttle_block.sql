UPDATE sign_in_throttle SET blocked_until_ns = $2 WHERE throttle_key = $1
