-- name: events
-- $1 sites, $2 doors or NULL, $3 members or NULL, [$4, $5) the span, $6 how many, ($7, $8) the cursor or NULL; $9 kinds or
-- NULL, $10 a camera that saw the door then or NULL, $11 only of minors; $12 how soon after another opening of the door an
-- opening counts as close upon it, $13 only those.
-- An event of uncertain time is also found by its time of receipt: people remember when they were there, not what a wrong
-- clock said. Two searches, each with its own LIMIT and index, joined and cut again. NOT MATERIALIZED, so that each stops
-- at its LIMIT.
-- The page is cut first; cameras, tags and the opening before are looked up for its rows only.
WITH wanted AS NOT MATERIALIZED (
    SELECT e.* FROM access_event e
    WHERE site_id = ANY ($1::uuid[]) AND ($2::uuid[] IS NULL OR door_id = ANY ($2))
      AND ($3::uuid[] IS NULL OR member_id = ANY ($3)) AND superseded_by IS NULL
      AND ($7::bigint IS NULL OR (occurred_ns, event_id) < ($7, $8::uuid))
      AND ($9::text[] IS NULL OR kind = ANY ($9))
      AND ($10::uuid IS NULL OR EXISTS (
          SELECT FROM door_camera m WHERE m.door_id = e.door_id AND m.camera_id = $10
            AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns))
      AND (NOT $11::boolean OR EXISTS (SELECT FROM member WHERE member.member_id = e.member_id AND member.minor))
      AND (NOT $13::boolean OR kind = 'granted' AND EXISTS (
          SELECT FROM access_event o
          WHERE o.door_id = e.door_id AND o.kind = 'granted' AND o.superseded_by IS NULL
            AND o.occurred_ns >= e.occurred_ns - $12::bigint AND o.occurred_ns <= e.occurred_ns
            AND (o.occurred_ns, o.event_id) < (e.occurred_ns, e.event_id)))),
page AS (
    (SELECT * FROM wanted WHERE occurred_ns >= $4::bigint AND occurred_ns < $5::bigint
     ORDER BY occurred_ns DESC, event_id DESC
     LIMIT $6)
    UNION ALL
    (SELECT * FROM wanted
     WHERE uncertain AND received_ns >= $4 AND received_ns < $5 AND NOT (occurred_ns >= $4 AND occurred_ns < $5)
     ORDER BY occurred_ns DESC, event_id DESC
     LIMIT $6)
    ORDER BY occurred_ns DESC, event_id DESC
    LIMIT $6)
SELECT page.*, seen.*, close.close_upon_ns FROM page
CROSS JOIN LATERAL (
    SELECT array_agg(m.camera_id ORDER BY m.camera_id) AS camera_ids,
           array_agg(m.before_ns ORDER BY m.camera_id) AS befores,
           array_agg(m.after_ns ORDER BY m.camera_id) AS afters,
           array_agg((SELECT count(*) FROM tag
                      WHERE tag.event_id = page.event_id AND tag.camera_id = m.camera_id
                        AND tag.superseded_ns IS NULL) ORDER BY m.camera_id) AS counts
    FROM door_camera m
    WHERE m.door_id = page.door_id AND m.valid_from_ns <= page.occurred_ns AND page.occurred_ns < m.valid_to_ns) AS seen
CROSS JOIN LATERAL (
    SELECT page.occurred_ns - max(o.occurred_ns) AS close_upon_ns FROM access_event o
    WHERE page.kind = 'granted' AND o.door_id = page.door_id AND o.kind = 'granted' AND o.superseded_by IS NULL
      AND o.occurred_ns >= page.occurred_ns - $12 AND o.occurred_ns <= page.occurred_ns
      AND (o.occurred_ns, o.event_id) < (page.occurred_ns, page.event_id)) AS close
ORDER BY page.occurred_ns DESC, page.event_id DESC

-- name: event
SELECT * FROM access_event WHERE event_id = $1 AND superseded_by IS NULL

-- name: tags
-- segment_start_ns names the partition.
SELECT tag.*, segment.end_ns AS segment_end_ns
FROM tag JOIN segment ON segment.start_ns = tag.segment_start_ns AND segment.segment_id = tag.segment_id
WHERE tag.event_id = ANY ($1::uuid[]) AND tag.superseded_ns IS NULL
ORDER BY tag.event_id, tag.camera_id, tag.segment_start_ns
