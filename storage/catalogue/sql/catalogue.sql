-- name: ensure_segment_day
SELECT ensure_segment_day($1)

-- name: commit_segment
SELECT commit_segment($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)

-- name: commit_gaps
-- $1 cameras, $2 starts, $3 ends, $4 causes, $5 details; no piece longer than a day.
-- Only what is not accounted for yet becomes a gap: footage that was imported meanwhile, and gaps that are there, keep
-- their time. Of a gap that is there nothing is left, so that committing again changes nothing.
INSERT INTO gap (camera_id, start_ns, end_ns, cause, detail)
SELECT p.camera_id, lower(piece), upper(piece), p.cause, p.detail
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
    WITH ORDINALITY AS p (camera_id, start_ns, end_ns, cause, detail, ordinal)
CROSS JOIN LATERAL (
    SELECT range_agg(int8range(known.start_ns, known.end_ns)) AS spans FROM (
        SELECT s.start_ns, s.end_ns FROM segment s
        WHERE s.camera_id = p.camera_id AND s.state = 'live'
          AND s.start_ns > p.start_ns - 120000000000 AND s.start_ns < p.end_ns AND s.end_ns > p.start_ns
        UNION ALL
        SELECT g.start_ns, g.end_ns FROM gap g
        WHERE g.camera_id = p.camera_id
          AND g.start_ns >= p.start_ns - 86400000000000 AND g.start_ns < p.end_ns AND g.end_ns > p.start_ns
    ) known
) k
CROSS JOIN LATERAL unnest(
    int8multirange(int8range(p.start_ns, p.end_ns)) - coalesce(k.spans, int8multirange())) AS piece
ORDER BY p.ordinal, lower(piece)
ON CONFLICT DO NOTHING

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
SELECT hour_key_id, serial, site_id, camera_id, hour_ns, public_key, state, signature FROM hour_key_public
WHERE camera_id = ANY ($1::uuid[]) AND hour_ns >= $2
ORDER BY camera_id, hour_ns, serial
