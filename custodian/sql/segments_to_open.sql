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
