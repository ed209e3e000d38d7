-- name: lag
-- The number of outbox rows (up to 100,001, since a count reads every row, each second), the time of the oldest, and the
-- number of doors whose clocks are off by more than $1.
SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT 100001) AS few) AS waiting,
       (SELECT CASE kind
            WHEN 'event' THEN (SELECT received_ns FROM access_event WHERE event_id = ref)
            ELSE (SELECT segment.committed_ns FROM segment_identity known
                  JOIN segment ON segment.start_ns = known.start_ns AND segment.segment_id = known.segment_id
                  WHERE known.segment_id = ref) END
        FROM outbox ORDER BY outbox_id LIMIT 1) AS oldest_ns,
       (SELECT count(*) FROM controller_skew JOIN door USING (door_id)
        WHERE abs(skew_ns) > $1::bigint AND removed_ns IS NULL) AS skewed

-- name: skewed
-- The doors whose clocks are off by more than $1, the worst first.
SELECT door.name, skew.skew_ns FROM controller_skew skew JOIN door USING (door_id)
WHERE abs(skew.skew_ns) > $1::bigint AND door.removed_ns IS NULL
ORDER BY abs(skew.skew_ns) DESC, door.name
LIMIT 3

-- name: doors_missing
SELECT count(*) FROM unnest($1::uuid[]) AS wanted (door_id) WHERE NOT EXISTS (
    SELECT FROM door WHERE door.door_id = wanted.door_id AND door.removed_ns IS NULL)
