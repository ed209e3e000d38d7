-- name: erasure_ask
-- $1 id, $2 reason, $3 member or NULL, $4 cameras, [$5, $6) the spans, $7 staff, $8 now.
INSERT INTO erasure (erasure_id, reason, member_id, camera_ids, start_ns, end_ns, asked_by, asked_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: erasure_approve
-- $1 erasure, $2 staff, $3 now. How many segments; no row: see approve_erasure().
SELECT segments FROM approve_erasure($1, $2, $3)

-- name: erasure_refuse
-- $1 erasure, $2 staff, $3 now. No row: it does not wait any more, or it is the person's own.
UPDATE erasure SET state = 'refused', decided_by = $2, decided_ns = $3
WHERE erasure_id = $1 AND state = 'asked' AND asked_by <> $2 RETURNING erasure_id

-- name: erasure_cancel
-- $1 erasure, $2 staff, $3 now. No row: it does not wait any more, or it is not the person's own.
UPDATE erasure SET state = 'cancelled', decided_by = $2, decided_ns = $3
WHERE erasure_id = $1 AND state = 'asked' AND asked_by = $2 RETURNING erasure_id

-- name: erasure_done
-- $1 now. Approved orders of which every hour key has been replaced, or has expired, and is certified.
UPDATE erasure e SET state = 'done', done_ns = $1
WHERE e.state = 'approved' AND NOT EXISTS (
    SELECT FROM erased_segment s
    WHERE s.erasure_id = e.erasure_id AND NOT EXISTS (
        SELECT FROM expired_key x WHERE x.hour_key_id = s.hour_key_id AND x.certificate IS NOT NULL))
RETURNING erasure_id

-- name: erasure_find
SELECT erasure_id, state, camera_ids, start_ns, end_ns, asked_by FROM erasure WHERE erasure_id = $1

-- name: erasure_blocks
-- $1 cameras, [$2, $3) spans.
SELECT DISTINCT number, reason, kind FROM erasure_blocks($1, $2, $3) ORDER BY number, kind

-- name: spans_of_member
-- $1 member. The times around this member's events at each camera that saw the door, joined, as tags have them; only where
-- there may be footage. (range_agg: one multirange of all.)
SELECT k.camera_id, lower(piece) AS start_ns, upper(piece) AS end_ns
FROM (SELECT m.camera_id, range_agg(int8range(e.occurred_ns - m.before_ns, e.occurred_ns + m.after_ns)) AS spans
      FROM access_event e
      JOIN door_camera m ON m.door_id = e.door_id AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
      WHERE e.member_id = $1 AND e.superseded_by IS NULL
        AND e.occurred_ns >= (SELECT min(hour_ns) FROM hour_key WHERE hour_key.camera_id = m.camera_id) - 86400000000000
      GROUP BY m.camera_id) AS k
CROSS JOIN LATERAL unnest(k.spans) AS piece
ORDER BY 1, 2

-- name: keys_to_replace
-- Hour keys that still open what was erased.
SELECT k.hour_key_id, k.serial, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns, k.public_key, k.sealed_private
FROM hour_key k
WHERE EXISTS (SELECT FROM erased_segment e WHERE e.hour_key_id = k.hour_key_id)
ORDER BY k.camera_id, k.hour_ns, k.serial

-- name: key_in_place
-- $1 an hour key: the newest of its camera's hour that ends when it does and opens nothing that was erased.
SELECT n.hour_key_id, n.serial, n.site_id, n.camera_id, n.hour_ns, n.expires_hour_ns, n.public_key, n.sealed_private
FROM hour_key k JOIN hour_key n ON n.camera_id = k.camera_id AND n.hour_ns = k.hour_ns
    AND n.expires_hour_ns = k.expires_hour_ns AND n.serial > k.serial
WHERE k.hour_key_id = $1 AND NOT EXISTS (SELECT FROM erased_segment e WHERE e.hour_key_id = n.hour_key_id)
ORDER BY n.serial DESC LIMIT 1

-- name: idle
-- $1 hour key, $2 now, $3 for how long after its hour a recorder is waited for.
SELECT hour_key_idle($1, $2, $3)

-- name: survivors
-- $1 hour key, $2 the one in its place, or NULL, $3 at most how many, $4 those that do not open.
SELECT segment_id, header, wrap FROM erasure_survivors($1, $2) WHERE NOT wrapped AND segment_id <> ALL ($4::uuid[]) LIMIT $3

-- name: wrap
-- $1 segments, $2 wraps, $3 hour key, $4 now.
INSERT INTO wrap_record (segment_id, hour_key_id, wrap, created_ns)
SELECT segment_id, $3, wrap, $4 FROM unnest($1::uuid[], $2::bytea[]) AS w (segment_id, wrap)

-- name: replace
SELECT replace_erased_key($1, $2, $3, $4, $5)

-- name: uncertified
-- Hour keys that were replaced, while no certificate says that no copy of them opens.
SELECT e.hour_key_id, e.camera_id, c.name AS camera, e.site_id, s.name AS site, e.hour_ns, e.expires_hour_ns,
       e.segments, e.size_bytes, e.first_ns, e.last_ns
FROM expired_key e LEFT JOIN camera c USING (camera_id) LEFT JOIN site s ON s.site_id = e.site_id
WHERE e.certificate IS NULL AND e.erased
ORDER BY e.camera_id, e.hour_ns, e.hour_key_id

-- name: orders
-- $1 hour keys. Whose orders erased something of them.
SELECT erasure_id, asked_by, asked_ns, decided_by, decided_ns FROM erasure
WHERE erasure_id IN (SELECT erasure_id FROM erased_segment WHERE hour_key_id = ANY ($1::uuid[]))
ORDER BY decided_ns, erasure_id

-- name: certified
-- $1 certificate, $2 hour keys.
UPDATE expired_key SET certificate = $1 WHERE certificate IS NULL AND hour_key_id = ANY ($2::uuid[])

-- name: counts
SELECT count(*) FILTER (WHERE state = 'asked') AS asked, count(*) FILTER (WHERE state = 'approved') AS approved
FROM erasure WHERE state IN ('asked', 'approved')
