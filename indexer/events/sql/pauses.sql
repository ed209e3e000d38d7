-- name: door_pauses
-- When each door last reported; since $1: the number of its reports, the first of them, and the longest time between two.
-- LATERAL with LIMIT 1: the last event comes from the end of the index, not from a sort.
SELECT door.door_id, door.name, last.occurred_ns AS last_ns, recent.events, recent.first_ns, recent.longest_ns
FROM door
CROSS JOIN LATERAL (
    SELECT occurred_ns FROM access_event WHERE door_id = door.door_id ORDER BY occurred_ns DESC LIMIT 1) AS last
CROSS JOIN LATERAL (
    SELECT count(*) AS events, min(occurred_ns) AS first_ns, max(occurred_ns - before_ns) AS longest_ns
    FROM (SELECT occurred_ns, lag(occurred_ns) OVER (ORDER BY occurred_ns) AS before_ns
          FROM access_event WHERE door_id = door.door_id AND occurred_ns >= $1::bigint) AS event) AS recent
WHERE door.removed_ns IS NULL
ORDER BY door.door_id
LIMIT 200
