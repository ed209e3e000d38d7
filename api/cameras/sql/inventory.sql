-- name: camera_health
SELECT camera_id, updated_ns, health::text AS health FROM camera_health WHERE camera_id = ANY ($1::uuid[])

-- name: door_health
-- $1 doors, $2 since. The time of each door's last event and the number of its events since $2; nothing about members.
-- Subqueries per door: each walks the index on (door_id, occurred_ns), where a GROUP BY would read all events.
SELECT d.door_id,
       (SELECT max(e.occurred_ns) FROM access_event e WHERE e.door_id = d.door_id AND e.superseded_by IS NULL) AS last_ns,
       (SELECT count(*) FROM access_event e
        WHERE e.door_id = d.door_id AND e.superseded_by IS NULL AND e.occurred_ns > $2::bigint) AS events
FROM unnest($1::uuid[]) AS d (door_id)
