-- name: keys_sealed_under
-- $1 keyring hour.
SELECT hour_key_id, serial, site_id, camera_id, hour_ns, expires_hour_ns, public_key, sealed_private,
       expires_hour_ns AS wanted_ns
FROM hour_key WHERE expires_hour_ns = $1 ORDER BY camera_id, hour_ns

-- name: move_keys
-- $1 hour keys, $2 their hours of expiry so far, $3 the new ones, $4 the private halves, sealed under those.
UPDATE hour_key h SET expires_hour_ns = m.wanted_ns, sealed_private = m.sealed_private,
    moved_ns = (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[]) AS m (hour_key_id, expires_hour_ns, wanted_ns, sealed_private)
WHERE h.hour_key_id = m.hour_key_id AND h.expires_hour_ns = m.expires_hour_ns

-- name: paused
SELECT EXISTS (SELECT FROM retention_pause)
