-- Tags of events ($1) no longer in force and of segments ($2) no longer live (in the shadow, expired): ended, not
-- deleted.
-- The two are looked up apart, each by its index; one condition with OR would read the whole table.
UPDATE tag SET superseded_ns = $3
FROM (
    SELECT t.event_id, t.segment_id FROM access_event e JOIN tag t ON t.event_id = e.event_id
    WHERE e.event_id = ANY ($1::uuid[]) AND e.superseded_by IS NOT NULL AND t.superseded_ns IS NULL
    UNION
    SELECT t.event_id, t.segment_id FROM segment_identity known
    JOIN segment ON segment.start_ns = known.start_ns AND segment.segment_id = known.segment_id
    JOIN tag t ON t.segment_id = known.segment_id
    WHERE known.segment_id = ANY ($2::uuid[]) AND segment.state <> 'live' AND t.superseded_ns IS NULL) AS gone
WHERE tag.event_id = gone.event_id AND tag.segment_id = gone.segment_id
