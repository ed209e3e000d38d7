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
