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
