-- name: segments_identity
-- $1 cameras, [$2, $3): ten-second segments of every camera, unique by camera and time.
INSERT INTO segment_identity (segment_id, start_ns)
SELECT md5(camera::text || at)::uuid, at
FROM unnest($1::uuid[]) AS camera, generate_series($2::bigint, $3::bigint - 1, 10000000000) AS at

-- name: segments_generate
-- $1 cameras, [$2, $3) the span, $4 site. As large as real rows are: 20 fragments each.
INSERT INTO segment
SELECT md5(camera::text || at)::uuid, $4::uuid, camera, $4::uuid, $4::uuid, at, at + 10000000000, 5000000,
       sha256(int8send(at)), decode(repeat('00', 210), 'hex'), 'h264', 'avc1.640028', 1920, 1080, 700, 250, false, 1,
       'live', f.start_ms, f.place, f.size, f.key, at + 10000000000,
       sha256(int8send(at)), decode(repeat('00', 168), 'hex')
FROM (SELECT array_agg(n * 500) AS start_ms, array_agg(700 + n * 250000) AS place, array_agg(250000) AS size,
             array_agg(n % 4 = 0) AS key
      FROM generate_series(0, 19) AS n) AS f,
     unnest($1::uuid[]) AS camera, generate_series($2::bigint, $3::bigint - 1, 10000000000) AS at
