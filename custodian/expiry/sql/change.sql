-- name: changes
-- $1 now, $2 the present hour. Cameras whose recorded hours end at another time than their retention says now, and how
-- many hour keys with footage that concerns. wanted: see custodian.keys.hour_keys.lifetime_of().
SELECT k.camera_id, c.name AS camera, c.retention_s,
       count(*) FILTER (WHERE k.wanted_ns < k.expires_hour_ns) AS shorter_hours,
       count(*) FILTER (WHERE k.wanted_ns < k.expires_hour_ns AND k.wanted_ns <= $1) AS at_once_hours,
       count(*) FILTER (WHERE k.wanted_ns > k.expires_hour_ns) AS longer_hours
FROM (
    SELECT h.hour_key_id, h.camera_id, h.hour_ns, h.expires_hour_ns,
           h.hour_ns + (1 + (i.retention_s + 3599) / 3600) * 3600000000000 AS wanted_ns
    FROM hour_key h JOIN camera i USING (camera_id)
    WHERE h.hour_ns <= $2 AND h.expires_hour_ns > $1
) AS k
JOIN camera c USING (camera_id)
WHERE k.wanted_ns <> k.expires_hour_ns AND EXISTS (
    SELECT FROM segment s
    WHERE s.camera_id = k.camera_id AND s.state = 'live' AND s.hour_key_id = k.hour_key_id
      AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000)
GROUP BY k.camera_id, c.name, c.retention_s
ORDER BY k.camera_id

-- name: keys_to_move
-- $1 now, $2 the present hour, $3 cameras: their hour keys, recorded or being recorded, that end at another time than
-- $4, their lifetimes, say.
SELECT h.hour_key_id, h.serial, h.site_id, h.camera_id, h.hour_ns, h.expires_hour_ns, h.public_key, h.sealed_private,
       h.hour_ns + c.lifetime_ns AS wanted_ns
FROM unnest($3::uuid[], $4::bigint[]) AS c (camera_id, lifetime_ns)
JOIN hour_key h ON h.camera_id = c.camera_id
WHERE h.hour_ns <= $2 AND h.expires_hour_ns > $1 AND h.hour_ns + c.lifetime_ns <> h.expires_hour_ns
ORDER BY h.expires_hour_ns, h.camera_id
