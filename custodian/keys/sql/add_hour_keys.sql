-- A new key of a camera's hour sends the active one before it into draining.
WITH fresh AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[],
                         $7::bytea[], $8::bytea[], $9::bytea[])
        AS f (hour_key_id, serial, site_id, camera_id, hour_ns, expires_hour_ns, public_key, sealed_private, signature)
), retired AS (
    UPDATE hour_key k SET state = 'draining'
    FROM fresh f
    WHERE k.camera_id = f.camera_id AND k.hour_ns = f.hour_ns AND k.state = 'active'
)
INSERT INTO hour_key (hour_key_id, serial, site_id, camera_id, hour_ns, expires_hour_ns, public_key, sealed_private,
                      signature, created_ns)
SELECT hour_key_id, serial, site_id, camera_id, hour_ns, expires_hour_ns, public_key, sealed_private, signature, $10
FROM fresh
