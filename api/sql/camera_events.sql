-- $1 camera, [$2, $3) the span, $4 doors, $5 how many. Events in force at doors that the camera saw at the time.
SELECT e.* FROM access_event e
JOIN door_camera m ON m.door_id = e.door_id AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
WHERE m.camera_id = $1 AND e.occurred_ns >= $2::bigint AND e.occurred_ns < $3::bigint
  AND e.door_id = ANY ($4::uuid[]) AND e.superseded_by IS NULL
ORDER BY e.occurred_ns, e.event_id LIMIT $5
