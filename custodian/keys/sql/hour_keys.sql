-- name: cameras
-- Cameras that need hour keys, and the retention of their footage.
SELECT camera_id, site_id, retention_s FROM camera WHERE removed_ns IS NULL ORDER BY camera_id

-- name: wanted_hour_keys
-- $1 cameras, $2 their lifetimes (ns, whole hours, counted from the start of the hour of recording), $3 first hour, $4 last hour.
-- The hours of each camera without an active key of that lifetime: a changed retention needs new keys, since the expiry hour
-- of a key is fixed.
SELECT c.camera_id, c.ordinal, h.hour_ns
FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS c (camera_id, lifetime_ns, ordinal)
CROSS JOIN generate_series($3::bigint, $4::bigint, 3600000000000) AS h (hour_ns)
WHERE NOT EXISTS (
    SELECT FROM hour_key k
    WHERE k.camera_id = c.camera_id AND k.hour_ns = h.hour_ns
      AND k.state = 'active' AND k.expires_hour_ns = h.hour_ns + c.lifetime_ns)
ORDER BY h.hour_ns, c.ordinal

-- name: next_serials
-- Drawn before the insert: the serial is a part of what the custodian signs.
-- $1 how many, $2 the time in microseconds: never below it. A database that was restored from a copy, or made anew, has
-- forgotten which serials it gave, and recorders take no key of a lower serial than they have seen.
WITH first AS (SELECT greatest(nextval('hour_key_serial'), $2::bigint) AS serial),
     moved AS (SELECT setval('hour_key_serial', serial + $1::int - 1) FROM first)
SELECT first.serial + n AS serial FROM first, moved, generate_series(0, $1::int - 1) AS n

-- name: add_hour_keys
-- A new key of a camera's hour turns the active one before it to draining: recorders start no new segment with it. One
-- statement, so that an hour never has two active keys, or none.
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

-- name: footage_within
-- $1 camera, [$2, $3) a span. Begin, end and number of the segments in it.
SELECT min(start_ns) AS start_ns, max(end_ns) AS end_ns, count(*) AS segments FROM segment
WHERE camera_id = $1 AND state = 'live'
  AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
