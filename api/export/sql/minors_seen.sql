-- $1 cameras, [$2, $3) the span. Was a minor's credential used at a door in one of the cameras' sight, close enough?
SELECT EXISTS (
    SELECT FROM door_camera m
    JOIN access_event e ON e.door_id = m.door_id AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
    JOIN member p ON p.member_id = e.member_id AND p.minor
    WHERE m.camera_id = ANY ($1::uuid[]) AND e.superseded_by IS NULL
      AND e.occurred_ns > $2::bigint - m.after_ns AND e.occurred_ns < $3::bigint + m.before_ns)
