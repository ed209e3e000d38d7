SELECT * FROM access_event WHERE event_id = $1 AND superseded_by IS NULL
