-- name: events
-- $1 sites, $2 doors or NULL, $3 members or NULL, [$4, $5) the span, $6 how many, ($7, $8) the cursor or NULL.
-- An event of uncertain time is also found by its time of receipt: people know when they were there, not what the clock said.
-- The page is cut first; cameras and tags are looked up for its rows only.
WITH page AS (
    (SELECT * FROM access_event
     WHERE site_id = ANY ($1::uuid[]) AND ($2::uuid[] IS NULL OR door_id = ANY ($2))
       AND ($3::uuid[] IS NULL OR member_id = ANY ($3))
       AND occurred_ns >= $4::bigint AND occurred_ns < $5::bigint AND superseded_by IS NULL
       AND ($7::bigint IS NULL OR (occurred_ns, event_id) < ($7, $8::uuid))
     ORDER BY occurred_ns DESC, event_id DESC
     LIMIT $6)
    UNION ALL
    (SELECT * FROM access_event
     WHERE site_id = ANY ($1::uuid[]) AND ($2::uuid[] IS NULL OR door_id = ANY ($2))
       AND ($3::uuid[] IS NULL OR member_id = ANY ($3))
       AND uncertain AND received_ns >= $4 AND received_ns < $5 AND NOT (occurred_ns >= $4 AND occurred_ns < $5)
       AND superseded_by IS NULL AND ($7 IS NULL OR (occurred_ns, event_id) < ($7, $8))
     ORDER BY occurred_ns DESC, event_id DESC
     LIMIT $6)
    ORDER BY occurred_ns DESC, event_id DESC
    LIMIT $6)
SELECT page.*, seen.* FROM page CROSS JOIN LATERAL (
    SELECT array_agg(m.camera_id ORDER BY m.camera_id) AS camera_ids,
           array_agg(m.before_ns ORDER BY m.camera_id) AS befores,
           array_agg(m.after_ns ORDER BY m.camera_id) AS afters,
           array_agg((SELECT count(*) FROM tag
                      WHERE tag.event_id = page.event_id AND tag.camera_id = m.camera_id
                        AND tag.superseded_ns IS NULL) ORDER BY m.camera_id) AS counts
    FROM door_camera m
    WHERE m.door_id = page.door_id AND m.valid_from_ns <= page.occurred_ns AND page.occurred_ns < m.valid_to_ns) AS seen
ORDER BY page.occurred_ns DESC, page.event_id DESC

-- name: event
SELECT * FROM access_event WHERE event_id = $1 AND superseded_by IS NULL

-- name: tags
-- segment_start_ns names the partition.
SELECT tag.*, segment.end_ns AS segment_end_ns
FROM tag JOIN segment ON segment.start_ns = tag.segment_start_ns AND segment.segment_id = tag.segment_id
WHERE tag.event_id = ANY ($1::uuid[]) AND tag.superseded_ns IS NULL
ORDER BY tag.event_id, tag.camera_id, tag.segment_start_ns
