-- $1 camera, $2 start: the last segments that began before, for the chain of trailers. No more than a day back.
SELECT * FROM segment
WHERE camera_id = $1 AND state IN ('live', 'shadow') AND start_ns < $2::bigint AND start_ns >= $2::bigint - 86400000000000
ORDER BY start_ns DESC LIMIT 3
