SELECT event_id, dedup_key FROM access_event
WHERE member_id = $1 AND occurred_ns >= $2 AND occurred_ns < $3 AND superseded_by IS NULL
ORDER BY event_id
FOR UPDATE
