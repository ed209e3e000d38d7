-- name: known_beside
-- $1 camera, [$2, $3) a span. The end of the last footage or gap that begins before it, and the begin of the first after it.
SELECT
    greatest(
        (SELECT end_ns FROM segment WHERE camera_id = $1 AND state = 'live' AND start_ns < $2
         ORDER BY start_ns DESC LIMIT 1),
        (SELECT end_ns FROM gap WHERE camera_id = $1 AND start_ns < $2 ORDER BY start_ns DESC, end_ns DESC LIMIT 1)
    ) AS before_ns,
    least(
        (SELECT start_ns FROM segment WHERE camera_id = $1 AND state = 'live' AND start_ns >= $3
         ORDER BY start_ns LIMIT 1),
        (SELECT start_ns FROM gap WHERE camera_id = $1 AND start_ns >= $3 ORDER BY start_ns LIMIT 1)
    ) AS after_ns
