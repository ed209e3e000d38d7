-- name: event_cameras
-- $1 door, $2 when. The cameras that saw the door then, and how much of their footage around an event counts.
SELECT camera_id, before_ns, after_ns FROM door_camera
WHERE door_id = $1 AND valid_from_ns <= $2::bigint AND $2::bigint < valid_to_ns ORDER BY camera_id
