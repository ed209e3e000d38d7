-- Whether a camera has anything before.
SELECT EXISTS (SELECT FROM segment WHERE camera_id = $1 AND start_ns < $2::bigint)
