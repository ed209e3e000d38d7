-- name: session_find
-- $1 hash of the cookie, $2 created after, $3 seen after. No row: no session, or one that has ended in whatever way.
SELECT s.session_id, s.staff_id, s.csrf_token, s.created_ns, s.seen_ns, s.stepped_up_ns, u.user_name, u.display_name,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.role, g.site_id, g.camera_id)), '[]')
        FROM staff_grant g WHERE g.staff_id = s.staff_id)::text AS grants
FROM staff_session s JOIN staff u USING (staff_id)
WHERE s.token_hash = $1 AND s.ended_ns IS NULL AND s.second_factor AND u.disabled_ns IS NULL
  AND s.created_ns > $2 AND s.seen_ns > $3

-- name: session_touch
UPDATE staff_session SET seen_ns = greatest(seen_ns, $2) WHERE session_id = $1

-- name: session_alive
-- $1 a session: whether it is still open and the person's account enabled
SELECT EXISTS (
    SELECT FROM staff_session JOIN staff USING (staff_id)
    WHERE session_id = $1 AND ended_ns IS NULL AND disabled_ns IS NULL)

-- name: session_start
-- $1 id, $2 hash of the cookie, $3 staff, $4 CSRF token, $5 now. A sign-in with both factors counts as a step-up.
INSERT INTO staff_session (session_id, token_hash, staff_id, csrf_token, created_ns, seen_ns, stepped_up_ns, second_factor)
VALUES ($1, $2, $3, $4, $5, $5, $5, true)

-- name: session_end
UPDATE staff_session SET ended_ns = $2 WHERE token_hash = $1 AND ended_ns IS NULL

-- name: sessions_end_all
UPDATE staff_session SET ended_ns = $2 WHERE staff_id = $1 AND ended_ns IS NULL

-- name: session_end_one
UPDATE staff_session SET ended_ns = $2 WHERE session_id = $1 AND ended_ns IS NULL

-- name: session_step_up
UPDATE staff_session SET stepped_up_ns = $2 WHERE session_id = $1
