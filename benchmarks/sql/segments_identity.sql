-- $1 cameras, [$2, $3): ten-second segments of every camera, told apart by camera and time.
INSERT INTO segment_identity (segment_id, start_ns)
SELECT md5(camera::text || at)::uuid, at
FROM unnest($1::uuid[]) AS camera, generate_series($2::bigint, $3::bigint - 1, 10000000000) AS at
