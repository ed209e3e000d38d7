-- name: live_events
-- $1 cameras, $2 received after, $3 occurred after: door events of now, once for each of the cameras that sees the door. Not the
-- person: who is in the picture is on record as a live look, and who opened the door as a look at the event.
SELECT m.camera_id, e.event_id, e.kind, e.occurred_ns, e.received_ns, d.name AS door
FROM door_camera m
JOIN door d USING (door_id)
JOIN LATERAL (
    SELECT * FROM access_event
    WHERE access_event.door_id = m.door_id AND access_event.occurred_ns > $3::bigint) e ON true
WHERE m.camera_id = ANY ($1::uuid[]) AND m.valid_to_ns = 9223372036854775807
  AND e.received_ns > $2::bigint AND e.superseded_by IS NULL
ORDER BY e.received_ns, e.event_id
LIMIT 100
