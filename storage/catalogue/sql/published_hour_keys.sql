SELECT hour_key_id, serial, site_id, camera_id, hour_ns, public_key, state, signature FROM hour_key_public
WHERE camera_id = ANY ($1::uuid[]) AND hour_ns >= $2
ORDER BY camera_id, hour_ns, serial
