-- name: place
SELECT place_hold($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: backlog
-- $1 how many. Held segments whose data key is not yet wrapped to the hold's key, with the key that opens them: the newest
-- wrap record to an hour key has precedence over the header.
SELECT b.hold_id, b.segment_id, s.header, w.wrap, h.public_key AS hold_key,
       k.hour_key_id, k.serial, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns, k.public_key, k.sealed_private
FROM hold_backlog b
JOIN hold h USING (hold_id)
LEFT JOIN segment_identity i ON i.segment_id = b.segment_id
LEFT JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
LEFT JOIN LATERAL (
    SELECT wrap, hour_key_id FROM wrap_record
    WHERE wrap_record.segment_id = b.segment_id AND wrap_record.hour_key_id IS NOT NULL
    ORDER BY wrap_id DESC LIMIT 1
) w ON true
LEFT JOIN hour_key k ON k.hour_key_id = coalesce(w.hour_key_id, s.hour_key_id)
ORDER BY b.hold_id, b.segment_id LIMIT $1

-- name: wrapped
-- $1 holds, $2 segments, $3 wraps, $4 now: the wraps take the place of the backlog's rows, in one statement. A hold that has
-- ended meanwhile took its backlog with it, and gets no wrap.
WITH done AS (
    DELETE FROM hold_backlog b USING unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS w (hold_id, segment_id, wrap)
    WHERE b.hold_id = w.hold_id AND b.segment_id = w.segment_id
    RETURNING b.hold_id, b.segment_id, w.wrap)
INSERT INTO wrap_record (segment_id, hold_id, wrap, created_ns) SELECT segment_id, hold_id, wrap, $4 FROM done

-- name: unkept
-- $1 holds, $2 segments: they do not open and cannot be kept.
DELETE FROM hold_backlog b USING unnest($1::uuid[], $2::uuid[]) AS w (hold_id, segment_id)
WHERE b.hold_id = w.hold_id AND b.segment_id = w.segment_id

-- name: lock_case
-- place_hold() takes it, too, and looks at the state under it: no hold comes to a case that is being decided about.
SELECT FROM case_file WHERE case_id = $1 FOR NO KEY UPDATE

-- name: case_holds
SELECT hold_id, camera_id FROM hold WHERE case_id = $1 AND ended_ns IS NULL ORDER BY camera_id, hold_id

-- name: ask_end
-- $1 case, $2 staff, $3 now. No row: the case is not open.
UPDATE case_file SET state = 'closing', closing_by = $2, closing_ns = $3
WHERE case_id = $1 AND state = 'open' RETURNING case_id

-- name: keep_case
-- $1 case. The case stays open after all. No row: its end was not asked for, or it has ended.
UPDATE case_file SET state = 'open', closing_by = NULL, closing_ns = NULL
WHERE case_id = $1 AND state = 'closing' RETURNING case_id

-- name: end_case
-- $1 case, $2 staff, $3 now. No row: its end was not asked for, or by the same person or an account in one hand with it.
UPDATE case_file SET state = 'closed', closed_by = $2, closed_ns = $3
WHERE case_id = $1 AND state = 'closing' AND closing_by NOT IN (SELECT staff_in_one_hand($2, $3)) RETURNING case_id

-- name: end_hold
SELECT end_hold($1, $2)

-- name: ended
SELECT hold_id FROM hold WHERE ended_ns IS NOT NULL AND destroyed_ns IS NULL

-- name: destroyed
UPDATE hold SET destroyed_ns = $2 WHERE hold_id = ANY ($1::uuid[])

-- name: counts
SELECT (SELECT count(*) FROM hold WHERE ended_ns IS NULL) AS holds, (SELECT count(*) FROM hold_backlog) AS backlog
