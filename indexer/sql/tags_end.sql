-- Tags of events ($1) no longer in force and of segments ($2) in the shadow: ended, not deleted.
UPDATE tag SET superseded_ns = $3
WHERE superseded_ns IS NULL AND (
    event_id IN (SELECT event_id FROM access_event WHERE event_id = ANY ($1::uuid[]) AND superseded_by IS NOT NULL)
    OR segment_id IN (
        SELECT segment.segment_id FROM segment_identity known
        JOIN segment ON segment.start_ns = known.start_ns AND segment.segment_id = known.segment_id
        WHERE known.segment_id = ANY ($2::uuid[]) AND segment.state = 'shadow'))
