-- name: due_hours
-- $1 now. Keyring hours that are over and still seal something, as far as the database knows.
SELECT DISTINCT expires_hour_ns FROM hour_key WHERE expires_hour_ns <= $1 ORDER BY expires_hour_ns

-- name: due_camera_hours
-- $1 keyring hours. Camera-hours among them that hold footage.
SELECT count(*) FROM (
    SELECT DISTINCT camera_id, hour_ns FROM hour_key WHERE expires_hour_ns = ANY ($1::bigint[])) AS k
WHERE EXISTS (
    SELECT FROM segment s
    WHERE s.camera_id = k.camera_id AND s.state = 'live'
      AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000)

-- name: witnesses
-- What else tells the time, and whether there is anything to tell it about.
SELECT (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint AS database_ns,
       (SELECT start_ns FROM segment ORDER BY start_ns DESC LIMIT 1) AS footage_ns,
       EXISTS (SELECT FROM hour_key) AS keys_known,
       (SELECT reason FROM retention_pause ORDER BY since_ns LIMIT 1) AS paused,
       (SELECT count(*) FROM camera WHERE removed_ns IS NULL) AS cameras

-- name: keys_of_hour
-- $1 keyring hour, $2 at most how many.
SELECT hour_key_id FROM hour_key WHERE expires_hour_ns = $1 ORDER BY camera_id, hour_ns LIMIT $2

-- name: expire
SELECT expire_hour_keys($1, $2)

-- name: uncertified_hours
-- $1 now.
SELECT DISTINCT expires_hour_ns FROM expired_key
WHERE certificate IS NULL AND NOT erased AND expires_hour_ns <= $1 ORDER BY expires_hour_ns

-- name: uncertified
-- $1 keyring hour.
SELECT e.hour_key_id, e.camera_id, c.name AS camera, e.site_id, s.name AS site, e.hour_ns,
       e.segments, e.size_bytes, e.first_ns, e.last_ns
FROM expired_key e LEFT JOIN camera c USING (camera_id) LEFT JOIN site s ON s.site_id = e.site_id
WHERE e.expires_hour_ns = $1 AND e.certificate IS NULL AND NOT e.erased
ORDER BY e.camera_id, e.hour_ns, e.hour_key_id

-- name: certified
-- $1 keyring hour, $2 certificate, $3 hour keys.
UPDATE expired_key SET certificate = $2 WHERE expires_hour_ns = $1 AND certificate IS NULL AND hour_key_id = ANY ($3::uuid[])

-- name: pause_end
DELETE FROM retention_pause
