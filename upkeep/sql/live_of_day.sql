-- $1 camera, $2 start of the day.
SELECT segment_id, site_id, camera_id, start_ns, end_ns, size_bytes, sha256, state, committed_ns FROM segment
WHERE camera_id = $1 AND state = 'live' AND start_ns >= $2::bigint AND start_ns < $2::bigint + 86400000000000
ORDER BY start_ns, segment_id
