-- name: outbox_take
-- Taken by deleting: committed with the tags, or back again. By their place in the table, which no statistics can
-- mislead: the outbox is empty most of the time, and joined to itself on that assumption it took a second a batch.
-- Nothing updates a row, and these are locked: the place holds.
DELETE FROM outbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM outbox ORDER BY outbox_id LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING kind, ref

-- name: tags_to_end
-- Whether any of the events ($1) is no longer in force, or any of the segments ($2) no longer live; or any of the events
-- may have tags by a mapping that ended within the two days before $3.
SELECT EXISTS (SELECT FROM access_event WHERE event_id = ANY ($1::uuid[]) AND superseded_by IS NOT NULL)
    OR EXISTS (
        SELECT FROM door_camera m JOIN access_event e ON e.door_id = m.door_id AND e.occurred_ns >= m.valid_to_ns
        WHERE m.valid_to_ns < 9223372036854775807 AND m.valid_to_ns > $3::bigint - 172800000000000
          AND e.event_id = ANY ($1::uuid[])
          AND EXISTS (SELECT FROM tag t WHERE t.event_id = e.event_id AND t.superseded_ns IS NULL))
    OR EXISTS (
        SELECT FROM segment_identity known
        JOIN segment ON segment.start_ns = known.start_ns AND segment.segment_id = known.segment_id
        WHERE known.segment_id = ANY ($2::uuid[]) AND segment.state <> 'live')

-- name: tag_lock_alone
SELECT pg_advisory_xact_lock(7411222005)

-- name: tag_lock_shared
SELECT pg_advisory_xact_lock_shared(7411222005)

-- name: tags_end
-- Tags of events ($1) no longer in force, or that no mapping gives any more, and of segments ($2) no longer live (in the
-- shadow, expired): ended, not deleted.
-- They are looked up apart, each by its index; one condition with OR would read the whole table, as may a join back to
-- it. No other process writes tags meanwhile, so the position stays valid.
UPDATE tag SET superseded_ns = $3
WHERE ctid = ANY (ARRAY(
    SELECT t.ctid FROM access_event e JOIN tag t ON t.event_id = e.event_id
    WHERE e.event_id = ANY ($1::uuid[]) AND e.superseded_by IS NOT NULL AND t.superseded_ns IS NULL
    UNION
    SELECT t.ctid FROM access_event e JOIN tag t ON t.event_id = e.event_id
    WHERE e.event_id = ANY ($1::uuid[]) AND t.superseded_ns IS NULL AND NOT EXISTS (
        SELECT FROM door_camera m
        WHERE m.door_id = e.door_id AND m.camera_id = t.camera_id
          AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
          AND t.start_ns = e.occurred_ns - m.before_ns AND t.end_ns = e.occurred_ns + m.after_ns)
    UNION
    SELECT t.ctid FROM segment_identity known
    JOIN segment ON segment.start_ns = known.start_ns AND segment.segment_id = known.segment_id
    JOIN tag t ON t.segment_id = known.segment_id
    WHERE known.segment_id = ANY ($2::uuid[]) AND segment.state <> 'live' AND t.superseded_ns IS NULL))

-- name: tags_add
-- For the events ($1) all live segments, for the segments ($2) all events in force. No segment is longer than 120 s
-- (domain.footage.SEGMENT_MAX_NS): start_ns is bounded on both sides, so that partitions are pruned.
-- Written in the order of the key, so that taggers side by side do not wait for one another in a circle.
INSERT INTO tag (event_id, segment_id, segment_start_ns, camera_id, start_ns, end_ns, uncertain)
SELECT event_id, segment_id, segment_start_ns, camera_id, start_ns, end_ns, uncertain FROM (
    SELECT e.event_id, s.segment_id, s.start_ns AS segment_start_ns, m.camera_id,
           e.occurred_ns - m.before_ns AS start_ns, e.occurred_ns + m.after_ns AS end_ns, e.uncertain
    FROM access_event e
    JOIN door_camera m ON m.door_id = e.door_id AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
    CROSS JOIN LATERAL (
        SELECT segment_id, start_ns FROM segment
        WHERE camera_id = m.camera_id AND state = 'live'
          AND start_ns > e.occurred_ns - m.before_ns - 120000000000 AND start_ns < e.occurred_ns + m.after_ns
          AND end_ns > e.occurred_ns - m.before_ns
        OFFSET 0) AS s
    WHERE e.event_id = ANY ($1::uuid[]) AND e.superseded_by IS NULL
    UNION
    SELECT e.event_id, s.segment_id, s.start_ns, m.camera_id,
           e.occurred_ns - m.before_ns, e.occurred_ns + m.after_ns, e.uncertain
    FROM segment_identity known
    CROSS JOIN LATERAL (
        SELECT segment_id, camera_id, start_ns, end_ns FROM segment
        WHERE start_ns = known.start_ns AND segment_id = known.segment_id AND state = 'live'
        OFFSET 0) AS s
    JOIN door_camera m ON m.camera_id = s.camera_id
    CROSS JOIN LATERAL (
        SELECT event_id, occurred_ns, uncertain FROM access_event
        WHERE door_id = m.door_id AND superseded_by IS NULL
          AND occurred_ns > s.start_ns - m.after_ns AND occurred_ns < s.end_ns + m.before_ns
          AND occurred_ns >= m.valid_from_ns AND occurred_ns < m.valid_to_ns
        OFFSET 0) AS e
    WHERE known.segment_id = ANY ($2::uuid[])) AS pair
ORDER BY event_id, segment_id
ON CONFLICT (event_id, segment_id) DO UPDATE
SET superseded_ns = NULL, start_ns = excluded.start_ns, end_ns = excluded.end_ns WHERE tag.superseded_ns IS NOT NULL
