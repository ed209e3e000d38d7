SELECT dedup_key, received_ns FROM access_event WHERE event_id = $1 AND superseded_by IS NULL FOR UPDATE
