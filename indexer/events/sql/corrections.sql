-- name: event_lock
-- FOR UPDATE: of two corrections of one event the second waits, and then finds it superseded.
SELECT dedup_key, received_ns FROM access_event WHERE event_id = $1 AND superseded_by IS NULL FOR UPDATE

-- name: event_replace
-- $1 id, $2 key, $3 received_ns, $4 door, $5 kind, $6 direction, $7 member, $8 occurred_ns, $9 uncertain
INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, direction, member_id, occurred_ns, received_ns,
                          uncertain)
SELECT $1, $2, door.site_id, door.door_id, $5, $6, $7, $8, $3, $9 FROM door WHERE door.door_id = $4
RETURNING true

-- name: events_of_member_lock
-- Locked in the order of their ids, so that two corrections cannot wait for each other.
SELECT event_id, dedup_key FROM access_event
WHERE member_id = $1 AND occurred_ns >= $2 AND occurred_ns < $3 AND superseded_by IS NULL
ORDER BY event_id
FOR UPDATE

-- name: events_reassign
-- $1 old ids, $2 new ids, $3 new keys, $4 the member
INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, direction, member_id, occurred_ns, received_ns,
                          uncertain)
SELECT given.new_id, given.dedup_key, e.site_id, e.door_id, e.kind, e.direction, $4, e.occurred_ns, e.received_ns,
       e.uncertain
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS given (event_id, new_id, dedup_key)
JOIN access_event e ON e.event_id = given.event_id

-- name: member_known
SELECT true FROM member WHERE member_id = $1

-- name: events_supersede
-- $1 old ids, $2 the ids that replace them (a withdrawn event's own id), $3 now. Old and new events go to the outbox: the
-- tags of the former end, those of the latter begin.
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS g (event_id, by_id)),
ended AS (
    UPDATE access_event SET superseded_by = given.by_id, superseded_ns = $3 FROM given
    WHERE access_event.event_id = given.event_id AND access_event.superseded_by IS NULL
    RETURNING access_event.event_id, given.by_id),
announced AS (
    INSERT INTO outbox (kind, ref)
    SELECT DISTINCT 'event', ref FROM ended, LATERAL (VALUES (ended.event_id), (ended.by_id)) AS both_sides (ref))
SELECT event_id FROM ended
