-- $1 cameras, [$2, $3) the span, $4 how small a step between two segments is no step (rounding to milliseconds).
-- Live footage cut to the span, touching segments joined.
WITH piece AS (
    SELECT camera_id, start_ns, end_ns,
           max(end_ns) OVER (PARTITION BY camera_id ORDER BY start_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS so_far
    FROM segment
    WHERE camera_id = ANY ($1::uuid[]) AND state = 'live'
      AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint),
island AS (
    SELECT camera_id, start_ns, end_ns,
           count(*) FILTER (WHERE so_far IS NULL OR start_ns > so_far + $4::bigint)
               OVER (PARTITION BY camera_id ORDER BY start_ns) AS number
    FROM piece)
SELECT camera_id, greatest(min(start_ns), $2::bigint) AS start_ns, least(max(end_ns), $3::bigint) AS end_ns
FROM island GROUP BY camera_id, number ORDER BY camera_id, start_ns
