-- $1 camera, [$2, $3): gaps that claim time of which there is footage. What is left of them is put back.
DELETE FROM gap
WHERE camera_id = $1 AND start_ns >= $2::bigint - 86400000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
RETURNING camera_id, start_ns, end_ns, cause, detail
