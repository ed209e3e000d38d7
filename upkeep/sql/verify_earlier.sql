-- $1 camera, $2 time, $3 recorder: whether it recorded anything of the camera before.
SELECT EXISTS (SELECT FROM segment WHERE camera_id = $1 AND start_ns < $2::bigint AND recorder_id = $3)
