-- name: accounted_cameras
-- From when to when each camera is accounted for, by footage or by gaps.
SELECT camera_id, min(start_ns) AS start_ns, max(end_ns) AS end_ns FROM (
    SELECT camera_id, start_ns, end_ns FROM segment WHERE state = 'live'
    UNION ALL
    SELECT camera_id, start_ns, end_ns FROM gap) AS known
GROUP BY camera_id ORDER BY camera_id

-- name: holes
-- $1 camera, [$2, $3) a span of a day at most: what of it neither footage nor a gap accounts for, nor an hour that has
-- expired, whose last segment may reach into the next.
SELECT lower(piece) AS start_ns, upper(piece) AS end_ns
FROM (SELECT range_agg(int8range(known.start_ns, known.end_ns)) AS spans FROM (
    SELECT start_ns, end_ns FROM segment
    WHERE camera_id = $1 AND state IN ('live', 'expiring')
      AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
    UNION ALL
    SELECT start_ns, end_ns FROM gap
    WHERE camera_id = $1 AND start_ns >= $2::bigint - 86400000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
    UNION ALL
    SELECT hour_ns, hour_ns + 3720000000000 FROM expired_key
    WHERE camera_id = $1 AND NOT erased AND hour_ns > $2::bigint - 3720000000000 AND hour_ns < $3::bigint
) known) k
CROSS JOIN LATERAL unnest(int8multirange(int8range($2::bigint, $3::bigint)) - coalesce(k.spans, int8multirange())) AS piece

-- name: camera_lock
-- commit_segment() holds it too: no footage comes between the look and the gap.
SELECT pg_advisory_xact_lock(hashtextextended('camera ' || $1::uuid, 0))

-- name: fill_hole
SELECT fill_gap($1, $2, $3, 'lost')
