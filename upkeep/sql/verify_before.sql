-- $1 camera, $2 start: the last segments that each recorder began before, for the chains of trailers. A day back at most.
SELECT s.* FROM (
    SELECT start_ns, segment_id, row_number() OVER (PARTITION BY recorder_id ORDER BY start_ns DESC) AS nth FROM segment
    WHERE camera_id = $1 AND state IN ('live', 'shadow')
      AND start_ns < $2::bigint AND start_ns >= $2::bigint - 86400000000000
) AS last
JOIN segment s ON s.start_ns = last.start_ns AND s.segment_id = last.segment_id
WHERE last.nth <= 3
ORDER BY s.start_ns DESC
