-- name: to_remove
-- $1 at most how many. Dead hour keys whose objects and rows are still here, as far as a certificate states their end.
SELECT hour_key_id, site_id, camera_id, hour_ns FROM expired_key
WHERE removed_ns IS NULL AND certificate IS NOT NULL
ORDER BY expires_hour_ns, camera_id LIMIT $1

-- name: objects_of_key
-- $1 hour key, $2 its camera, $3 its hour, $4 at most how many. What has an identity has an object.
SELECT s.segment_id, s.start_ns FROM segment s
JOIN segment_identity i ON i.segment_id = s.segment_id AND i.start_ns = s.start_ns
WHERE s.camera_id = $2 AND s.state = 'expiring' AND s.hour_key_id = $1
  AND s.start_ns >= $3::bigint AND s.start_ns < $3::bigint + 3600000000000
LIMIT $4

-- name: removed
SELECT remove_expired($1, $2, $3)

-- name: days_over
SELECT day_ns FROM segment_days_over($1) AS day_ns

-- name: drop_day
SELECT drop_segment_day($1, $2)

-- name: backlog
-- What waits to be removed, and since when.
SELECT count(*) AS camera_hours, coalesce(sum(segments), 0)::bigint AS segments, min(expired_ns) AS since_ns
FROM expired_key WHERE removed_ns IS NULL AND certificate IS NOT NULL
