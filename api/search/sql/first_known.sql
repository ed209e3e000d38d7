-- $1 camera. Since when anything is known of it; 0: nothing is.
SELECT coalesce(least(
    (SELECT start_ns FROM segment WHERE camera_id = $1 AND state = 'live' ORDER BY start_ns LIMIT 1),
    (SELECT min(start_ns) FROM gap WHERE camera_id = $1)), 0)
