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
