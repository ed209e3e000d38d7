-- Whether any of the events ($1) is no longer in force, or any of the segments ($2) no longer live.
SELECT EXISTS (SELECT FROM access_event WHERE event_id = ANY ($1::uuid[]) AND superseded_by IS NOT NULL)
    OR EXISTS (
        SELECT FROM segment_identity known
        JOIN segment ON segment.start_ns = known.start_ns AND segment.segment_id = known.segment_id
        WHERE known.segment_id = ANY ($2::uuid[]) AND segment.state <> 'live')
