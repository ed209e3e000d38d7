-- name: ensure_segment_day
SELECT ensure_segment_day($1)

-- name: commit_segment
SELECT commit_segment($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)

-- name: commit_gaps
-- $1 cameras, $2 starts, $3 ends, $4 causes, $5 details; no piece longer than a day.
SELECT commit_gaps($1, $2, $3, $4, $5)

-- name: accounted_until
-- $1 cameras, $2 a time for each: the end of the last footage, removed or not, or gap that began before it. Two looks
-- for footage, here and below, since each partial index knows a part of the states.
SELECT asked.camera_id, greatest(live.end_ns, other.end_ns, gap.end_ns) AS end_ns
FROM unnest($1::uuid[], $2::bigint[]) AS asked (camera_id, before_ns)
LEFT JOIN LATERAL (
    SELECT end_ns FROM segment
    WHERE camera_id = asked.camera_id AND start_ns < asked.before_ns AND state IN ('live', 'contested')
    ORDER BY start_ns DESC LIMIT 1) live ON true
LEFT JOIN LATERAL (
    SELECT end_ns FROM segment
    WHERE camera_id = asked.camera_id AND start_ns < asked.before_ns AND state <> 'live' AND state IN ('expiring', 'gone')
    ORDER BY start_ns DESC LIMIT 1) other ON true
LEFT JOIN LATERAL (
    SELECT end_ns FROM gap
    WHERE camera_id = asked.camera_id AND start_ns < asked.before_ns
    ORDER BY start_ns DESC LIMIT 1) gap ON true
WHERE greatest(live.end_ns, other.end_ns, gap.end_ns) IS NOT NULL

-- name: accounted_spans
-- $1 cameras, [$2, $3) a span for each: what of it footage, removed or not, or gaps account for; joined, and not cut.
SELECT asked.camera_id, lower(piece) AS start_ns, upper(piece) AS end_ns
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS asked (camera_id, start_ns, end_ns)
CROSS JOIN LATERAL (SELECT range_agg(int8range(known.start_ns, known.end_ns)) AS spans FROM (
    SELECT start_ns, end_ns FROM segment
    WHERE camera_id = asked.camera_id AND state IN ('live', 'contested')
      AND start_ns > asked.start_ns - 120000000000 AND start_ns < asked.end_ns AND end_ns > asked.start_ns
    UNION ALL
    SELECT start_ns, end_ns FROM segment
    WHERE camera_id = asked.camera_id AND state <> 'live' AND state IN ('expiring', 'gone')
      AND start_ns > asked.start_ns - 120000000000 AND start_ns < asked.end_ns AND end_ns > asked.start_ns
    UNION ALL
    SELECT start_ns, end_ns FROM gap
    WHERE camera_id = asked.camera_id
      AND start_ns >= asked.start_ns - 86400000000000 AND start_ns < asked.end_ns AND end_ns > asked.start_ns) known) k
CROSS JOIN LATERAL unnest(k.spans) AS piece
ORDER BY 1, 2

-- name: take_leases
-- $1 cameras, $2 the recorder.
SELECT camera_id, lease FROM take_leases($1, $2)

-- name: settle_segment
-- $1 segment, $2 its flaw (NULL: its trailer verifies), $3 its object's name.
SELECT settle_segment($1, $2, $3)

-- name: segments
-- $1 cameras, [$2, $3) the span. No segment is longer than 120 s (CHECK), hence the bound that lets partitions be pruned.
SELECT * FROM segment
WHERE camera_id = ANY ($1::uuid[]) AND state = 'live'
  AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
ORDER BY camera_id, start_ns

-- name: segment_start
SELECT start_ns FROM segment_identity WHERE segment_id = $1

-- name: segment
-- Asked with the start found in segment_identity, so that one partition is planned and read.
SELECT * FROM segment WHERE segment_id = $1 AND start_ns = $2

-- name: gaps
-- $1 cameras, [$2, $3) the span. No row is longer than a day (CHECK).
SELECT camera_id, start_ns, end_ns, cause, detail FROM gap
WHERE camera_id = ANY ($1::uuid[])
  AND start_ns >= $2::bigint - 86400000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
ORDER BY camera_id, start_ns, end_ns

-- name: published_hour_keys
-- $1 cameras, $2 first hour, $3 a serial: only keys of higher ones.
SELECT hour_key_id, serial, site_id, camera_id, hour_ns, public_key, state, signature FROM hour_key_public
WHERE camera_id = ANY ($1::uuid[]) AND hour_ns >= $2 AND serial > $3::bigint
ORDER BY camera_id, hour_ns, serial
