-- Events of doors whose mappings changed within the day before $1, from the change on: they may have been joined by what
-- was in force before. Once more is harmless.
INSERT INTO outbox (kind, ref)
SELECT DISTINCT 'event', e.event_id
FROM door_camera m
CROSS JOIN LATERAL (VALUES (m.valid_from_ns), (m.valid_to_ns)) AS change (at_ns)
JOIN access_event e ON e.door_id = m.door_id AND e.occurred_ns >= change.at_ns
WHERE change.at_ns BETWEEN $1::bigint - 86400000000000 AND $1::bigint + 86400000000000 AND e.superseded_by IS NULL
