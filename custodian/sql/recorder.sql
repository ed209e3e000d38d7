SELECT public_key, revoked_ns FROM recorder WHERE recorder_id = $1
