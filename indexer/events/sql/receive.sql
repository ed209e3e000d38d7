-- name: skew_put
-- $1 doors in order, $2 skews, $3 now
INSERT INTO controller_skew (door_id, skew_ns, updated_ns)
SELECT door_id, skew_ns, $3 FROM unnest($1::uuid[], $2::bigint[]) AS measured (door_id, skew_ns)
ON CONFLICT (door_id) DO UPDATE SET skew_ns = excluded.skew_ns, updated_ns = excluded.updated_ns

-- name: sequence_put
-- $1 instance, $2 doors in order, $3 first numbers, $4 when these came, $5 last numbers, $6 what is missing
INSERT INTO door_sequence (door_id, instance, first_seq, first_ns, last_seq, missing)
SELECT door_id, $1, first_seq, first_ns, last_seq, missing::jsonb
FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
    AS counted (door_id, first_seq, first_ns, last_seq, missing)
ON CONFLICT (door_id, instance) DO UPDATE
SET first_seq = excluded.first_seq, first_ns = excluded.first_ns, last_seq = excluded.last_seq, missing = excluded.missing

-- name: commit_events
-- Adds one batch of decoded events and announces the new ones to the tagger, in one statement. Returns one row per offered
-- event. Doors that the configuration no longer names still resolve, for events that arrive late. A person who was denied
-- may be a stranger: such an event has no member. Inserted in the order of dedup_key, so that two indexers cannot deadlock.
WITH offered AS (
    SELECT * FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::boolean[], $13::bigint[],
                         $14::text[])
        AS o (i, event_id, dedup_key, site_id, door, kind, direction, credential, number, occurred_ns, received_ns,
              uncertain, told_ns, other_door)),
resolved AS (
    SELECT offered.*, at.door_id, held.member_id AS by_credential, named.member_id AS by_number
    FROM offered
    LEFT JOIN LATERAL (
        SELECT door.door_id FROM door
        -- The door in use first, then the name as it was sent, then the door that was removed last.
        WHERE door.site_id = offered.site_id AND door.external_id IN (offered.door, offered.other_door)
        ORDER BY door.removed_ns IS NOT NULL, door.external_id <> offered.door, door.removed_ns DESC
        LIMIT 1) AS at ON true
    LEFT JOIN LATERAL (
        SELECT c.member_id FROM credential c
        -- Who held the card at the time of the event, not now: cards are handed on.
        WHERE c.credential = offered.credential
          AND c.valid_from_ns <= offered.occurred_ns AND offered.occurred_ns < c.valid_to_ns
        ORDER BY c.valid_from_ns DESC LIMIT 1) AS held ON true
    LEFT JOIN member_identity named ON named.number = offered.number),
judged AS (
    SELECT resolved.*, coalesce(by_credential, by_number) AS member_id, CASE
        WHEN door_id IS NULL THEN 'unknown door'
        WHEN by_credential <> by_number THEN 'credential and number of different members'
        WHEN coalesce(by_credential, by_number) IS NOT NULL OR kind = 'denied' THEN NULL
        WHEN credential IS NOT NULL THEN 'unknown credential'
        WHEN number IS NOT NULL THEN 'unknown number'
    END AS trouble
    FROM resolved),
added AS (
    INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, direction, member_id, occurred_ns,
                              received_ns, uncertain, reported_ns)
    SELECT event_id, dedup_key, site_id, door_id, kind, direction, member_id, occurred_ns, received_ns, uncertain,
           nullif(told_ns, occurred_ns)
    FROM judged WHERE trouble IS NULL
    ORDER BY dedup_key, i
    ON CONFLICT (dedup_key) DO NOTHING
    RETURNING event_id),
announced AS (
    INSERT INTO outbox (kind, ref) SELECT 'event', event_id FROM added)
-- An event that was not added and whose dedup_key exists is a redelivery, whatever has become of its door and credential
-- since; with another time it is another event under a used id. The LATERAL join looks keys up one by one: a subquery in
-- the SELECT list would be hashed, which reads the whole table.
SELECT judged.i, judged.door_id, judged.trouble, added.event_id IS NOT NULL AS is_new,
       known.told_ns IS NOT NULL AS is_known, known.told_ns <> judged.told_ns AS is_other
FROM judged LEFT JOIN added USING (event_id)
LEFT JOIN LATERAL (
    SELECT coalesce(e.reported_ns, e.occurred_ns) AS told_ns FROM access_event e
    WHERE added.event_id IS NULL AND e.dedup_key = judged.dedup_key
    LIMIT 1) AS known ON true

-- name: secret
SELECT secret FROM index_secret

-- name: sequence_known
SELECT door.site_id, door.external_id, counted.first_seq, counted.first_ns, counted.last_seq,
       counted.missing::text AS missing
FROM door_sequence counted JOIN door USING (door_id)
WHERE counted.instance = $1 AND door.removed_ns IS NULL

-- name: skew_known
SELECT door.site_id, door.external_id, skew.skew_ns
FROM controller_skew skew JOIN door USING (door_id) WHERE door.removed_ns IS NULL
