-- name: enrol
-- No row returned: the id is enrolled already. Its key is never replaced by an enrolment.
INSERT INTO recorder (recorder_id, name, public_key, enrolled_ns) VALUES ($1, $2, $3, $4)
ON CONFLICT (recorder_id) DO NOTHING
RETURNING recorder_id

-- name: headers_to_open
-- $1 segment ids, $2 the hour keys that their headers name. Each with the key that opens it: the newest wrap record has
-- precedence over the wrap in the header (sealed-format.md, "Keys"). Where that hour key is dead, a hold that keeps the
-- segment opens it.
SELECT h.segment_id, w.wrap,
       k.hour_key_id, k.serial, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns, k.public_key, k.sealed_private, k.state,
       o.hold_id, o.wrap AS hold_wrap, o.public_key AS hold_key, o.sealed_private AS hold_private
FROM unnest($1::uuid[], $2::uuid[]) AS h (segment_id, hour_key_id)
LEFT JOIN LATERAL (
    SELECT wrap, hour_key_id FROM wrap_record
    WHERE wrap_record.segment_id = h.segment_id AND wrap_record.hour_key_id IS NOT NULL
    ORDER BY wrap_id DESC LIMIT 1
) w ON true
LEFT JOIN hour_key k ON k.hour_key_id = coalesce(w.hour_key_id, h.hour_key_id)
LEFT JOIN LATERAL (
    SELECT hold.hold_id, wrap_record.wrap, hold.public_key, hold.sealed_private
    FROM wrap_record JOIN hold USING (hold_id)
    WHERE wrap_record.segment_id = h.segment_id AND hold.ended_ns IS NULL
    ORDER BY wrap_id DESC LIMIT 1
) o ON true
WHERE k.hour_key_id IS NOT NULL OR o.hold_id IS NOT NULL

-- name: recorders
SELECT recorder_id, public_key FROM recorder

-- name: asker
-- $1 session, $2 purpose, $3 action, $4 camera, $5 now, [$6, $7) the span. The person who asks and whether it is allowed; no
-- row unless the purpose was stated in this very session. A purpose that is to decide about an export opens what that asks
-- for, to a second person, and nothing else.
SELECT s.staff_id,
       CASE WHEN p.export_id IS NULL THEN staff_may($1, $3, $4, $5)
            ELSE $3 = 'look' AND staff_may_preview($1, p.export_id, $4, $6, $7, $5) END AS may
FROM staff_session s JOIN purpose p USING (session_id) WHERE s.session_id = $1 AND p.purpose_id = $2

-- name: live_asker
-- $1 session, $2 purpose, $3 camera, $4 now, [$5, $6) the time that is about to be seen. The person who asks, and whether it is
-- allowed: by the session and its grants, of a camera that is still configured, and no restriction covers the time. No row
-- unless the purpose was stated in this very session.
SELECT s.staff_id,
       staff_may($1, 'look', $3, $4)
       AND EXISTS (SELECT FROM camera c WHERE c.camera_id = $3 AND c.removed_ns IS NULL)
       AND NOT EXISTS (SELECT FROM hold h WHERE h.kind = 'restriction' AND h.ended_ns IS NULL AND h.camera_id = $3
                       AND h.start_ns > $5::bigint - 86400000000000 AND h.start_ns < $6::bigint
                       AND h.end_ns > $5::bigint) AS may
FROM staff_session s JOIN purpose p USING (session_id)
WHERE s.session_id = $1 AND p.purpose_id = $2 AND p.export_id IS NULL

-- name: lock_asker
SELECT lock_asker($1)

-- name: case_asker
-- $1 session, $2 purpose, $3 cameras, $4 now, $5 action. Who asks, and whether they may do it at all of the cameras; without
-- a camera, at any. No row unless the purpose was stated in this session.
SELECT s.staff_id,
       CASE WHEN cardinality($3::uuid[]) > 0
            THEN (SELECT bool_and(staff_may($1, $5, camera_id, $4)) FROM unnest($3::uuid[]) AS camera_id)
            ELSE EXISTS (SELECT FROM camera WHERE staff_may($1, $5, camera_id, $4)) END AS may
FROM staff_session s JOIN purpose p USING (session_id)
WHERE s.session_id = $1 AND p.purpose_id = $2 AND p.export_id IS NULL

-- name: segments_to_open
-- $1 segment ids, $2 states. Each with its header, its recorder, and the key that opens it: as `headers_to_open`, or, where
-- that key is dead, the key of a hold that keeps the segment. Joined by segment_identity, whose start_ns names the partition
-- to read. What expired a moment ago comes with a dead key or none: it is known, and does not open.
SELECT s.segment_id, s.header, s.trailer, s.size_bytes, s.recorder_id, r.public_key AS recorder_key, w.wrap,
       k.hour_key_id, k.serial, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns, k.public_key, k.sealed_private,
       CASE WHEN s.state = 'expiring' THEN 'dead' ELSE k.state END AS state,
       h.hold_id, h.wrap AS hold_wrap, h.public_key AS hold_key, h.sealed_private AS hold_private
FROM segment_identity i
JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
JOIN recorder r ON r.recorder_id = s.recorder_id
LEFT JOIN LATERAL (
    SELECT wrap, hour_key_id FROM wrap_record
    WHERE wrap_record.segment_id = s.segment_id AND wrap_record.hour_key_id IS NOT NULL
    ORDER BY wrap_id DESC LIMIT 1
) w ON true
LEFT JOIN hour_key k ON k.hour_key_id = coalesce(w.hour_key_id, s.hour_key_id)
LEFT JOIN LATERAL (
    SELECT hold.hold_id, wrap_record.wrap, hold.public_key, hold.sealed_private
    FROM wrap_record JOIN hold USING (hold_id)
    WHERE wrap_record.segment_id = s.segment_id AND hold.ended_ns IS NULL
    ORDER BY wrap_id DESC LIMIT 1
) h ON true
WHERE i.segment_id = ANY ($1::uuid[])
  AND ((k.hour_key_id IS NOT NULL OR h.hold_id IS NOT NULL) AND s.state = ANY ($2::text[]) OR s.state = 'expiring')

-- name: restriction
-- $1 segment ids. The case that restricts one of them (GDPR 18), and why; the first one by number. Holds are at most a day
-- long.
SELECT c.number, c.reason
FROM segment_identity i
JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
JOIN hold h ON h.camera_id = s.camera_id AND h.kind = 'restriction' AND h.ended_ns IS NULL
    AND h.start_ns > s.start_ns - 86400000000000 AND h.start_ns < s.end_ns AND h.end_ns > s.start_ns
JOIN case_file c USING (case_id)
WHERE i.segment_id = ANY ($1::uuid[])
ORDER BY c.number LIMIT 1

-- name: recorder
SELECT public_key, revoked_ns FROM recorder WHERE recorder_id = $1
