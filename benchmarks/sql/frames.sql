-- name: frames
-- $1: since when, $2: pictures a second. A segment's length is an estimate to about a picture: one is not missed.
SELECT coalesce(sum(frames), 0)::bigint AS frames,
       count(*) AS segments,
       coalesce(sum(CASE WHEN short > 1 THEN short ELSE 0 END), 0)::bigint AS missing,
       coalesce((SELECT sum(end_ns - start_ns) FROM gap
                 WHERE start_ns >= $1::bigint AND cause NOT IN ('starting', 'stopped')), 0)::bigint AS gap_ns
FROM (SELECT frames, round((end_ns - start_ns) / 1e9 * $2::int)::bigint - frames AS short
      FROM segment WHERE start_ns >= $1::bigint) AS one
