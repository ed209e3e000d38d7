-- Tags of events ($1) no longer in force, or that no mapping gives any more, and of segments ($2) no longer live (in the
-- shadow, expired): ended, not deleted.
-- They are looked up apart, each by its index; one condition with OR would read the whole table, as may a join back to
-- it. Nobody else writes tags meanwhile: the place holds.
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
