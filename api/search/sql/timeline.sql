-- name: camera_events
-- $1 camera, [$2, $3) the span, $4 doors, $5 how many on each side of $6. Events in force at doors that the camera saw
-- at the time, by time. NOT MATERIALIZED, so that each side stops at its LIMIT.
WITH seen AS NOT MATERIALIZED (
    SELECT e.* FROM access_event e
    JOIN door_camera m ON m.door_id = e.door_id AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
    WHERE m.camera_id = $1 AND e.occurred_ns >= $2::bigint AND e.occurred_ns < $3::bigint
      AND e.door_id = ANY ($4::uuid[]) AND e.superseded_by IS NULL
)
SELECT * FROM (
    (SELECT * FROM seen WHERE occurred_ns < $6::bigint ORDER BY occurred_ns DESC, event_id DESC LIMIT $5)
    UNION ALL
    (SELECT * FROM seen WHERE occurred_ns >= $6::bigint ORDER BY occurred_ns, event_id LIMIT $5)
) nearest
ORDER BY occurred_ns, event_id

-- name: footage_spans
-- $1 cameras, [$2, $3) the span, $4 the largest distance of two segments that counts as touching (times are rounded to
-- milliseconds). Live footage cut to the span, touching segments joined: gaps and islands. A segment that begins after the
-- latest end so far begins a new island; the running count of such segments numbers the islands.
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

-- name: first_known
-- $1 camera. The begin of its first segment or gap; 0: it has neither.
SELECT coalesce(least(
    (SELECT start_ns FROM segment WHERE camera_id = $1 AND state = 'live' ORDER BY start_ns LIMIT 1),
    (SELECT min(start_ns) FROM gap WHERE camera_id = $1)), 0)
