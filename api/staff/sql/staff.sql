-- name: staff_password
-- $1 staff, $2 new hash. By an administrator, whatever the password was.
UPDATE staff SET password_hash = $2 WHERE staff_id = $1 RETURNING true

-- name: staff_own_password
-- $1 staff, $2 new hash, $3 the hash that the present password was checked against. No row: it was replaced meanwhile.
UPDATE staff SET password_hash = $2 WHERE staff_id = $1 AND password_hash = $3 AND disabled_ns IS NULL RETURNING true

-- name: sessions_end_others
UPDATE staff_session SET ended_ns = $2 WHERE staff_id = $1 AND session_id <> $3 AND ended_ns IS NULL

-- name: recovery_codes_drop
DELETE FROM recovery_code WHERE staff_id = $1

-- name: grants_drop
DELETE FROM staff_grant WHERE staff_id = $1

-- name: staff_disable
UPDATE staff SET disabled_ns = $2 WHERE staff_id = $1 AND disabled_ns IS NULL RETURNING true

-- name: staff_enable
UPDATE staff SET disabled_ns = NULL WHERE staff_id = $1 AND disabled_ns IS NOT NULL RETURNING true

-- name: staff_factor
-- $1 staff, $2 sealed secret. A code of the former secret is of no use any more (totp_take compares it).
UPDATE staff SET totp_secret = $2, totp_last_step = 0 WHERE staff_id = $1 RETURNING true

-- name: staff_may_change
-- $1 session, $2 created after, $3 seen after, $4 roles. Whether the session is open and, where roles are named, its person
-- holds one of them everywhere. Asked below the lock: what another change has just withdrawn does not count any more.
SELECT EXISTS (
    SELECT FROM staff_session s JOIN staff u USING (staff_id)
    WHERE s.session_id = $1 AND s.ended_ns IS NULL AND s.second_factor AND u.disabled_ns IS NULL
      AND s.created_ns > $2 AND s.seen_ns > $3
      AND (cardinality($4::text[]) = 0 OR EXISTS (
          SELECT FROM staff_grant g
          WHERE g.staff_id = s.staff_id AND g.role = ANY ($4) AND g.site_id IS NULL AND g.camera_id IS NULL)))

-- name: staff_lock
-- One administrative change at a time: without the lock, two administrators who remove each other would leave none.
SELECT pg_advisory_xact_lock(7411222002)

-- name: staff_list
-- All staff, with their grants, their last sign-in and their remaining recovery codes.
SELECT u.staff_id, u.user_name, u.display_name, u.disabled_ns IS NOT NULL AS disabled, u.created_ns,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.role, g.site_id, g.camera_id) ORDER BY g.role), '[]')
        FROM staff_grant g WHERE g.staff_id = u.staff_id)::text AS grants,
       (SELECT b.display_name FROM staff_handover h JOIN staff b ON b.staff_id = h.by_staff_id
        WHERE h.staff_id = u.staff_id AND h.kind = 'account') AS made_by,
       (SELECT max(s.created_ns) FROM staff_session s WHERE s.staff_id = u.staff_id) AS signed_in_ns,
       (SELECT count(*) FROM staff_session s WHERE s.staff_id = u.staff_id AND s.ended_ns IS NULL
          AND s.created_ns > $2::bigint AND s.seen_ns > $3::bigint) AS sessions,
       (SELECT count(*) FROM recovery_code r WHERE r.staff_id = u.staff_id AND r.used_ns IS NULL) AS codes
FROM staff u WHERE $1::uuid IS NULL OR u.staff_id = $1 ORDER BY u.display_name, u.user_name

-- name: staff_admins
-- Administrators of everything who can sign in.
SELECT count(DISTINCT u.staff_id) FROM staff u JOIN staff_grant g USING (staff_id)
WHERE u.disabled_ns IS NULL AND g.role = 'admin' AND g.site_id IS NULL AND g.camera_id IS NULL
