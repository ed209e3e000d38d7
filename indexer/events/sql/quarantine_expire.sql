DELETE FROM quarantine WHERE received_ns < $1
