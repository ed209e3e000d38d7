-- name: rows_of_objects
-- $1 segment ids. Their rows, in any state; start_ns from segment_identity names the partition.
SELECT s.segment_id, s.camera_id, s.start_ns, s.end_ns, s.size_bytes, s.sha256, s.state, s.committed_ns
FROM segment_identity i JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
WHERE i.segment_id = ANY ($1::uuid[])

-- name: camera_days
-- The camera-days that have live rows; the bucket is listed by the same unit.
SELECT site_id, camera_id, start_ns - start_ns % 86400000000000 AS day_ns, count(*) AS segments
FROM segment WHERE state = 'live' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: quarantine_named
SELECT object_name FROM object_quarantine WHERE object_name = ANY ($1::text[])

-- name: live_of_day
-- $1 camera, $2 start of the day.
SELECT segment_id, site_id, camera_id, start_ns, end_ns, size_bytes, sha256, state, committed_ns FROM segment
WHERE camera_id = $1 AND state = 'live' AND start_ns >= $2::bigint AND start_ns < $2::bigint + 86400000000000
ORDER BY start_ns, segment_id

-- name: shadows
-- All shadows, in pages of $3, after the cursor ($1, $2). The bound on start_ns alone prunes partitions; the pair does not.
SELECT segment_id, site_id, camera_id, start_ns, end_ns, size_bytes, sha256, state, committed_ns FROM segment
WHERE state = 'shadow' AND start_ns >= $1 AND (start_ns, segment_id) > ($1, $2::uuid)
ORDER BY start_ns, segment_id LIMIT $3
