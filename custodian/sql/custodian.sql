-- name: enrol
INSERT INTO recorder (recorder_id, name, public_key, enrolled_ns) VALUES ($1, $2, $3, $4)
ON CONFLICT (recorder_id) DO NOTHING
RETURNING recorder_id

-- name: headers_to_open
-- $1 segment ids, $2 the hour keys that their headers name. Each with the key that opens it: the newest wrap record has
-- precedence over the wrap in the header.
SELECT h.segment_id, w.wrap,
       k.hour_key_id, k.serial, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns, k.public_key, k.sealed_private, k.state
FROM unnest($1::uuid[], $2::uuid[]) AS h (segment_id, hour_key_id)
LEFT JOIN LATERAL (
    SELECT wrap, hour_key_id FROM wrap_record
    WHERE wrap_record.segment_id = h.segment_id AND wrap_record.hour_key_id IS NOT NULL
    ORDER BY wrap_id DESC LIMIT 1
) w ON true
JOIN hour_key k ON k.hour_key_id = coalesce(w.hour_key_id, h.hour_key_id)

-- name: recorders
SELECT recorder_id, public_key FROM recorder

-- name: asker
-- $1 session, $2 purpose, $3 action, $4 camera, $5 now. Who asks, and whether they may; no row unless the purpose was stated
-- in this session.
SELECT s.staff_id, staff_may($1, $3, $4, $5) AS may
FROM staff_session s JOIN purpose p USING (session_id) WHERE s.session_id = $1 AND p.purpose_id = $2

-- name: segments_to_open
-- $1 segment ids. Each with its header, its recorder, and the key that opens it: the newest wrap record has precedence
-- over the wrap in the header.
SELECT s.segment_id, s.header, s.recorder_id, r.public_key AS recorder_key, w.wrap,
       k.hour_key_id, k.serial, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns, k.public_key, k.sealed_private, k.state
FROM segment_identity i
JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
JOIN recorder r ON r.recorder_id = s.recorder_id
LEFT JOIN LATERAL (
    SELECT wrap, hour_key_id FROM wrap_record
    WHERE wrap_record.segment_id = s.segment_id AND wrap_record.hour_key_id IS NOT NULL
    ORDER BY wrap_id DESC LIMIT 1
) w ON true
JOIN hour_key k ON k.hour_key_id = coalesce(w.hour_key_id, s.hour_key_id)
WHERE i.segment_id = ANY ($1::uuid[]) AND s.state = ANY ($2::text[])

-- name: recorder
SELECT public_key, revoked_ns FROM recorder WHERE recorder_id = $1
