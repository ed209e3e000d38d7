-- name: verify_count
-- $1 cameras (NULL: all), [$2, $3) the span.
SELECT count(*) AS objects, coalesce(sum(size_bytes), 0)::bigint AS bytes FROM segment
WHERE ($1::uuid[] IS NULL OR camera_id = ANY ($1)) AND state IN ('live', 'shadow')
  AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint

-- name: verify_page
-- The same segments in order, after the cursor ($4, $5), $6 at most. The bound on start_ns alone prunes partitions.
SELECT segment.*, EXISTS (
    SELECT FROM wrap_record w WHERE w.segment_id = segment.segment_id AND w.hour_key_id = segment.hour_key_id) AS rewrapped
FROM segment
WHERE ($1::uuid[] IS NULL OR camera_id = ANY ($1)) AND state IN ('live', 'shadow')
  AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
  AND start_ns >= $4 AND (start_ns, segment_id) > ($4, $5::uuid)
ORDER BY start_ns, segment_id LIMIT $6

-- name: verify_earlier
-- $1 camera, $2 time, $3 recorder. Whether the recorder has an earlier segment of the camera: then its chain has a link.
SELECT EXISTS (SELECT FROM segment WHERE camera_id = $1 AND start_ns < $2::bigint AND recorder_id = $3)

-- name: verify_before
-- $1 camera, $2 start. The last three segments of each recorder before it, at most a day back: the candidates for the
-- previous link of the chain of trailers.
SELECT s.* FROM (
    SELECT start_ns, segment_id, row_number() OVER (PARTITION BY recorder_id ORDER BY start_ns DESC) AS nth FROM segment
    WHERE camera_id = $1 AND state IN ('live', 'shadow')
      AND start_ns < $2::bigint AND start_ns >= $2::bigint - 86400000000000
) AS last
JOIN segment s ON s.start_ns = last.start_ns AND s.segment_id = last.segment_id
WHERE last.nth <= 3
ORDER BY s.start_ns DESC

-- name: gap_before
-- $1 camera, $2 time. The cause of the gap that ends there, if there is one.
SELECT cause FROM gap
WHERE camera_id = $1 AND end_ns = $2 AND start_ns >= $2::bigint - 86400000000000 AND start_ns < $2::bigint
ORDER BY start_ns DESC LIMIT 1
