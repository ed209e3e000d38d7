-- $1 camera, [$2, $3) the span, $4 doors, $5 how many on each side of $6. Events in force at doors that the camera saw
-- at the time, by time.
WITH seen AS NOT MATERIALIZED (
    SELECT e.* FROM access_event e
    JOIN door_camera m ON m.door_id = e.door_id AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
    WHERE m.camera_id = $1 AND e.occurred_ns >= $2::bigint AND e.occurred_ns < $3::bigint
      AND e.door_id = ANY ($4::uuid[]) AND e.superseded_by IS NULL
)
SELECT * FROM (
    (SELECT * FROM seen WHERE occurred_ns < $6::bigint ORDER BY occurred_ns DESC, event_id DESC LIMIT $5)
    UNION ALL
    (SELECT * FROM seen WHERE occurred_ns >= $6::bigint ORDER BY occurred_ns, event_id LIMIT $5)
) nearest
ORDER BY occurred_ns, event_id
