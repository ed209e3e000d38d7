-- name: retention_kept
-- $1 now. Of each camera: the hours that hold footage, and when they end. An hour is asked about once, by the index of
-- live segments.
SELECT c.camera_id, c.site_id, s.name AS site, c.name AS camera, c.retention_s, c.removed_ns IS NOT NULL AS removed,
       count(DISTINCT k.hour_ns) AS camera_hours,
       count(DISTINCT k.hour_ns) FILTER (WHERE k.expires_hour_ns <= $1) AS overdue_hours,
       min(k.hour_ns) AS oldest_hour_ns,
       min(k.expires_hour_ns) AS next_expiry_ns,
       max(k.expires_hour_ns) AS last_expiry_ns
FROM camera c
JOIN site s USING (site_id)
LEFT JOIN hour_key_kept k ON k.camera_id = c.camera_id AND k.hour_ns <= $1 AND EXISTS (
    SELECT FROM segment f
    WHERE f.camera_id = k.camera_id AND f.state = 'live' AND f.hour_key_id = k.hour_key_id
      AND f.start_ns >= k.hour_ns AND f.start_ns < k.hour_ns + 3600000000000)
GROUP BY c.camera_id, s.name
ORDER BY s.name, c.name, c.camera_id

-- name: retention_ended
-- What was made unreadable, what of it is still to be removed, and the newest certificate.
SELECT (SELECT count(*) FROM expired_key WHERE segments > 0) AS expired_camera_hours,
       (SELECT coalesce(sum(segments), 0)::bigint FROM expired_key) AS expired_segments,
       (SELECT count(*) FROM expired_key WHERE removed_ns IS NULL) AS to_remove_camera_hours,
       (SELECT min(expired_ns) FROM expired_key WHERE removed_ns IS NULL) AS to_remove_since_ns,
       (SELECT coalesce(max(number), 0) FROM certificate) AS certificates,
       (SELECT max(issued_ns) FROM certificate) AS certified_ns

-- name: retention_erasures
-- Early erasures that wait for a person or are being carried out.
SELECT e.erasure_id, e.state, e.asked_ns,
       (SELECT coalesce(string_agg(c.name, ', ' ORDER BY c.name), '') FROM camera c WHERE c.camera_id = ANY (e.camera_ids))
           AS cameras,
       CASE WHEN e.state = 'asked' THEN (SELECT count(*) FROM erasable(e.camera_ids, e.start_ns, e.end_ns))
            ELSE (SELECT count(*) FROM erased_segment s WHERE s.erasure_id = e.erasure_id) END AS segments,
       CASE WHEN e.state = 'asked' THEN (
           SELECT coalesce(string_agg(DISTINCT b.number, ', '), '')
           FROM erasure_blocks(e.camera_ids, e.start_ns, e.end_ns) b) ELSE '' END AS cases
FROM erasure e WHERE e.state IN ('asked', 'approved') ORDER BY e.asked_ns
