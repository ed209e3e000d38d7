-- name: outbox_take
-- Rows are taken by deleting them: the deletion commits together with the tags, or not at all. Found by ctid, their place
-- in the table: the outbox is empty most of the time, so its statistics say so, and a join to itself planned on them took a
-- second a batch. A ctid stays valid here: the rows are locked, and no row is ever updated. SKIP LOCKED lets several
-- taggers work side by side.
DELETE FROM outbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM outbox ORDER BY outbox_id LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING kind, ref

-- name: tags_to_end
-- Whether tags may have to end: an event ($1) is no longer in force, a segment ($2) is no longer live, or an event has tags
-- by a mapping that ended within the two days before $3. Then the tagger takes the exclusive lock, else the shared one.
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
-- Ends, and does not delete, the tags of events ($1) that are no longer in force or that no mapping covers any more, and of
-- segments ($2) that are no longer live. A UNION of three searches, each by its own index: one condition with OR would read
-- the whole table. The exclusive lock keeps other writers of tags away, so that a ctid stays valid.
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
-- For the events ($1) all live segments, for the segments ($2) all events in force: the interval join from both sides, so
-- that the later of the two finds the earlier. No segment is longer than 120 s (domain.footage.SEGMENT_MAX_NS): start_ns is
-- bounded on both sides, which prunes partitions. OFFSET 0 keeps the planner from flattening a LATERAL join into one that
-- reads whole tables. Written in the order of the primary key, so that two taggers cannot deadlock.
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
