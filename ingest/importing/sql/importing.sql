-- name: known_beside
-- $1 camera, [$2, $3): where what is known of it, footage or gap, ends before and goes on after.
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
