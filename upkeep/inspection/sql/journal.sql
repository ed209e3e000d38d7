-- name: from_journal
-- In the transaction that puts rows back: the journal has them already (journal_rows()).
SET LOCAL tallenne.from_journal = 'on'

-- name: journal_recorders
-- $1 the rows as JSON, as to_jsonb() wrote them: how many were missing. So do the next two.
-- Of several versions the earliest revocation counts: none is ever taken back.
WITH said AS (SELECT * FROM jsonb_populate_recordset(NULL::recorder, $1::jsonb)),
one AS (
    SELECT DISTINCT ON (recorder_id) recorder_id, name, public_key, enrolled_ns,
           min(revoked_ns) OVER (PARTITION BY recorder_id) AS revoked_ns
    FROM said ORDER BY recorder_id, enrolled_ns
), kept AS (
    INSERT INTO recorder AS known (recorder_id, name, public_key, enrolled_ns, revoked_ns) SELECT * FROM one
    ON CONFLICT (recorder_id) DO UPDATE SET revoked_ns = least(known.revoked_ns, excluded.revoked_ns)
    WHERE known.revoked_ns IS DISTINCT FROM least(known.revoked_ns, excluded.revoked_ns)
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_hour_keys
-- journal_key_states says afterwards which of a camera's hour is active. A key that got another hour of expiry has a record
-- at each: the later one counts.
WITH said AS (
    SELECT DISTINCT ON (hour_key_id) * FROM jsonb_populate_recordset(NULL::hour_key, $1::jsonb)
    ORDER BY hour_key_id, moved_ns DESC
), kept AS (
    INSERT INTO hour_key AS known (hour_key_id, serial, site_id, camera_id, hour_ns, expires_hour_ns, public_key,
                                   sealed_private, state, signature, created_ns, moved_ns)
    SELECT hour_key_id, serial, site_id, camera_id, hour_ns, expires_hour_ns, public_key, sealed_private,
           'draining', signature, created_ns, moved_ns
    FROM said
    -- An erasure replaced it: its row does not come back.
    WHERE NOT EXISTS (SELECT FROM expired_key e WHERE e.hour_key_id = said.hour_key_id AND e.erased)
    ON CONFLICT (hour_key_id) DO UPDATE
    SET expires_hour_ns = excluded.expires_hour_ns, sealed_private = excluded.sealed_private, moved_ns = excluded.moved_ns
    WHERE excluded.moved_ns > known.moved_ns
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_leases
WITH kept AS (
    INSERT INTO camera_lease SELECT * FROM jsonb_populate_recordset(NULL::camera_lease, $1::jsonb)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_certificates
WITH kept AS (
    INSERT INTO certificate SELECT * FROM jsonb_populate_recordset(NULL::certificate, $1::jsonb)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_expired_keys
-- Of several versions the one that has come furthest counts. Where the bucket lacks the certificate, the custodian states
-- the end once more.
WITH said AS (
    SELECT hour_key_id, site_id, camera_id, hour_ns, expires_hour_ns, segments, size_bytes, first_ns, last_ns, expired_ns,
           (SELECT number FROM certificate WHERE number = said.certificate) AS certificate, removed_ns, erased
    FROM jsonb_populate_recordset(NULL::expired_key, $1::jsonb) AS said
), one AS (
    SELECT DISTINCT ON (hour_key_id) * FROM said
    ORDER BY hour_key_id, (certificate IS NOT NULL) DESC, (removed_ns IS NOT NULL) DESC
), kept AS (
    INSERT INTO expired_key AS known SELECT * FROM one
    ON CONFLICT (hour_key_id) DO UPDATE
    SET certificate = coalesce(known.certificate, excluded.certificate),
        removed_ns = coalesce(known.removed_ns, excluded.removed_ns)
    WHERE (known.certificate IS NULL AND excluded.certificate IS NOT NULL)
       OR (known.removed_ns IS NULL AND excluded.removed_ns IS NOT NULL)
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_dead_keys
-- Hour keys whose keyring entry is gone, as dead ones: the custodian certifies it, then the keeper removes their footage.
WITH kept AS (
    INSERT INTO expired_key (hour_key_id, site_id, camera_id, hour_ns, expires_hour_ns, segments, size_bytes, expired_ns)
    SELECT hour_key_id, site_id, camera_id, hour_ns, expires_hour_ns, 0, 0, expires_hour_ns
    FROM jsonb_populate_recordset(NULL::hour_key, $1::jsonb) r
    WHERE NOT EXISTS (
        SELECT FROM hour_key k WHERE k.hour_key_id = r.hour_key_id AND k.moved_ns > coalesce(r.moved_ns, 0))
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_dead_sooner
-- Keys of an older copy, or of an older record, from before a retention was shortened: they were dead by another hour than
-- it says.
UPDATE hour_key k SET expires_hour_ns = e.expires_hour_ns FROM expired_key e
WHERE e.hour_key_id = k.hour_key_id AND NOT e.erased AND e.expires_hour_ns < k.expires_hour_ns

-- name: journal_dead
-- $1 now. Of a database that was restored from an older copy: keys that have expired since.
SELECT expire_hour_keys(ARRAY (SELECT hour_key_id FROM hour_key JOIN expired_key USING (hour_key_id)), $1)

-- name: is_dead
SELECT EXISTS (SELECT FROM expired_key WHERE hour_key_id = $1)

-- name: pause_retention
-- $1 now.
INSERT INTO retention_pause
SELECT 'the database was rebuilt or repaired from the bucket, and a person should look at what is there', $1
WHERE NOT EXISTS (SELECT FROM retention_pause)

-- name: journal_cases
-- The end of a case counts. Of other versions it is not known which is the latest: the case is open, and people ask for its
-- end once more. A number that was given again meanwhile gets a suffix. Title and reason are in no record: people typed them.
WITH said AS (
    SELECT DISTINCT ON (case_id) * FROM jsonb_populate_recordset(NULL::case_file, $1::jsonb)
    ORDER BY case_id, state = 'closed' DESC, review_ns DESC
), kept AS (
    INSERT INTO case_file AS known (case_id, number, title, reason, opened_by, opened_ns, review_ns, state, closing_by,
                                    closing_ns, closed_by, closed_ns)
    SELECT case_id,
           CASE WHEN EXISTS (SELECT FROM case_file k WHERE k.number = said.number AND k.case_id <> said.case_id)
                THEN number || '-' || left(case_id::text, 4) ELSE number END,
           coalesce(title, number), coalesce(reason, 'Rebuilt from the bucket, which does not hold the reason.'),
           opened_by, opened_ns, review_ns, CASE WHEN state = 'closed' THEN state ELSE 'open' END,
           CASE WHEN state = 'closed' THEN closing_by END, CASE WHEN state = 'closed' THEN closing_ns END,
           closed_by, closed_ns
    FROM said
    ON CONFLICT (case_id) DO UPDATE
    SET state = excluded.state, closing_by = excluded.closing_by, closing_ns = excluded.closing_ns,
        closed_by = excluded.closed_by, closed_ns = excluded.closed_ns
    WHERE known.state <> 'closed' AND excluded.state = 'closed'
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_holds
-- The earliest end counts: none is ever taken back. A hold of an older copy of the database that has ended since ends.
-- Where the bucket lacks the case, the hold gets an open one: what it keeps stays until two people end that.
WITH said AS (
    SELECT DISTINCT ON (hold_id) * FROM jsonb_populate_recordset(NULL::hold, $1::jsonb)
    ORDER BY hold_id, ended_ns NULLS LAST, destroyed_ns NULLS LAST
), made AS (
    INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns)
    SELECT DISTINCT ON (case_id) case_id, 'lost-' || left(case_id::text, 13), 'lost-' || left(case_id::text, 13),
           'The bucket keeps footage for this case, and lacks the case.', placed_by, placed_ns, placed_ns
    FROM said ORDER BY case_id, placed_ns
    ON CONFLICT (case_id) DO NOTHING
), over AS (
    SELECT end_hold(known.hold_id, said.ended_ns) FROM said JOIN hold known USING (hold_id)
    WHERE known.ended_ns IS NULL AND said.ended_ns IS NOT NULL
), kept AS (
    INSERT INTO hold (hold_id, case_id, kind, camera_id, start_ns, end_ns, public_key, sealed_private, placed_by,
                      placed_ns, ended_ns, destroyed_ns)
    SELECT hold_id, case_id, kind, camera_id, start_ns, end_ns, public_key, sealed_private, placed_by,
           placed_ns, ended_ns, destroyed_ns
    FROM said ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM kept) + (SELECT count(*) FROM over)

-- name: journal_wraps
-- In the order of their making, since the newest wrap of a segment counts.
WITH kept AS (
    INSERT INTO wrap_record (segment_id, hour_key_id, hold_id, wrap, created_ns)
    SELECT w.segment_id, w.hour_key_id, w.hold_id, w.wrap, w.created_ns
    FROM jsonb_populate_recordset(NULL::wrap_record, $1::jsonb) w
    WHERE NOT EXISTS (SELECT FROM wrap_record k WHERE k.segment_id = w.segment_id AND k.wrap = w.wrap)
      AND (w.hour_key_id IS NULL OR EXISTS (SELECT FROM hour_key h WHERE h.hour_key_id = w.hour_key_id))
      AND (w.hold_id IS NULL OR EXISTS (SELECT FROM hold h WHERE h.hold_id = w.hold_id AND h.ended_ns IS NULL))
    ORDER BY w.created_ns, w.wrap_id
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_erasures
-- Of several versions the one that has come furthest counts. Reason and member are in no record.
WITH said AS (
    SELECT DISTINCT ON (erasure_id) * FROM jsonb_populate_recordset(NULL::erasure, $1::jsonb)
    ORDER BY erasure_id, array_position(ARRAY['asked', 'cancelled', 'refused', 'approved', 'done'], state) DESC
), kept AS (
    INSERT INTO erasure AS known (erasure_id, state, reason, camera_ids, start_ns, end_ns, asked_by, asked_ns,
                                  decided_by, decided_ns, done_ns)
    SELECT erasure_id, state, 'Rebuilt from the bucket, which does not hold the reason.', camera_ids, start_ns, end_ns,
           asked_by, asked_ns, decided_by, decided_ns, done_ns
    FROM said
    ON CONFLICT (erasure_id) DO UPDATE
    SET state = excluded.state, decided_by = excluded.decided_by, decided_ns = excluded.decided_ns,
        done_ns = excluded.done_ns
    WHERE array_position(ARRAY['asked', 'cancelled', 'refused', 'approved', 'done'], excluded.state)
        > array_position(ARRAY['asked', 'cancelled', 'refused', 'approved', 'done'], known.state)
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_erased
WITH kept AS (
    INSERT INTO erased_segment SELECT * FROM jsonb_populate_recordset(NULL::erased_segment, $1::jsonb)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM kept

-- name: journal_erase
-- $1 now.
SELECT replay_erasures($1)

-- name: erased_gaps
-- Of footage whose object is gone, too: nothing else says what that time was.
SELECT fill_gap(camera_id, start_ns, end_ns, 'erased') FROM erased_segment

-- name: journal_key_states
-- A camera's hour has one active key, that of the highest serial.
UPDATE hour_key k SET state = CASE WHEN k.serial = top.serial THEN 'active' ELSE 'draining' END
FROM (SELECT camera_id, hour_ns, max(serial) AS serial FROM hour_key WHERE state <> 'dead' GROUP BY 1, 2) top
WHERE k.camera_id = top.camera_id AND k.hour_ns = top.hour_ns AND k.state <> 'dead'
  AND k.state <> CASE WHEN k.serial = top.serial THEN 'active' ELSE 'draining' END

-- name: journal_serials
SELECT setval('hour_key_serial', greatest(nextval('hour_key_serial'), (SELECT max(serial) FROM hour_key)))

-- name: epoch_of_trailer
-- $1 camera, $2 recorder, $3 start of a segment, $4 SHA-256 of the trailer before it: the epoch of that one.
SELECT epoch FROM segment
WHERE camera_id = $1 AND recorder_id = $2 AND start_ns >= $3::bigint - 86400000000000
  AND start_ns < $3::bigint + 86400000000000 AND sha256(trailer) = $4
LIMIT 1

-- name: journal_missing
-- $1 certificates that records of dead keys name. What no record holds: it was removed from the bucket, or overwritten.
SELECT 'certificate ' || number AS name FROM (
    SELECT unnest($1::bigint[]) UNION SELECT generate_series(1, (SELECT max(number) FROM certificate))) AS named (number)
WHERE NOT EXISTS (SELECT FROM certificate c WHERE c.number = named.number)
UNION ALL
SELECT 'case ' || case_id FROM case_file WHERE number LIKE 'lost-%' AND state <> 'closed'
ORDER BY 1

-- name: gap_count
SELECT count(*) FROM gap
