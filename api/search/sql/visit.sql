-- name: event_cameras
-- $1 door, $2 when. The cameras that saw the door then, and how much of their footage around an event counts.
SELECT camera_id, before_ns, after_ns FROM door_camera
WHERE door_id = $1 AND valid_from_ns <= $2::bigint AND $2::bigint < valid_to_ns ORDER BY camera_id

-- name: beside
-- $1 and $2 when an event occurred and its id; $3 doors, $4 a kind and $5 a member, or NULL; $6 whether later. The nearest
-- other event in force of these doors on that side. One branch runs; each stops at its first row of the index.
SELECT * FROM (
    (SELECT e.* FROM access_event e
     WHERE $6::boolean AND e.door_id = ANY ($3::uuid[]) AND e.superseded_by IS NULL
       AND ($4::text IS NULL OR e.kind = $4) AND ($5::uuid IS NULL OR e.member_id = $5)
       AND (e.occurred_ns, e.event_id) > ($1::bigint, $2::uuid)
     ORDER BY e.occurred_ns, e.event_id LIMIT 1)
    UNION ALL
    (SELECT e.* FROM access_event e
     WHERE NOT $6::boolean AND e.door_id = ANY ($3::uuid[]) AND e.superseded_by IS NULL
       AND ($4::text IS NULL OR e.kind = $4) AND ($5::uuid IS NULL OR e.member_id = $5)
       AND (e.occurred_ns, e.event_id) < ($1::bigint, $2::uuid)
     ORDER BY e.occurred_ns DESC, e.event_id DESC LIMIT 1)
) nearest
