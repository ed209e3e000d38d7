SELECT recorder_id, public_key FROM recorder
