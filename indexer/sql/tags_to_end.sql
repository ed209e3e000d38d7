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
