-- $1 camera, $2 time: the cause of a gap that ends there.
SELECT cause FROM gap
WHERE camera_id = $1 AND end_ns = $2 AND start_ns >= $2::bigint - 86400000000000 AND start_ns < $2::bigint
ORDER BY start_ns DESC LIMIT 1
