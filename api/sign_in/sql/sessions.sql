-- name: session_find
-- $1 hash of the cookie, $2 created after, $3 seen after. No row: there is no such session, or it was ended, ran out, lacks
-- the second factor, or its account is disabled.
SELECT s.session_id, s.staff_id, s.created_ns, s.seen_ns, s.stepped_up_ns, u.user_name, u.display_name,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.role, g.site_id, g.camera_id)), '[]')
        FROM staff_grant g WHERE g.staff_id = s.staff_id)::text AS grants
FROM staff_session s JOIN staff u USING (staff_id)
WHERE s.token_hash = $1 AND s.ended_ns IS NULL AND s.second_factor AND u.disabled_ns IS NULL
  AND s.created_ns > $2 AND s.seen_ns > $3

-- name: session_touch
-- Requests of one session overlap: a slow one must not set the time back.
UPDATE staff_session SET seen_ns = greatest(seen_ns, $2) WHERE session_id = $1 AND ended_ns IS NULL

-- name: session_may
-- $1 a session, $2 created after, $3 seen after, $4 roles, $5 cameras, [$6, $7) the span. Whether the session is still open,
-- within both of its limits, its person holds one of the roles at every one of the cameras, and no restriction (at most a
-- day long) covers any of it.
SELECT EXISTS (
    SELECT FROM staff_session s JOIN staff u USING (staff_id)
    WHERE s.session_id = $1 AND s.ended_ns IS NULL AND s.second_factor AND u.disabled_ns IS NULL
      AND s.created_ns > $2 AND s.seen_ns > $3
      AND NOT EXISTS (
          SELECT FROM unnest($5::uuid[]) AS shown (camera_id) WHERE NOT EXISTS (
              SELECT FROM camera c JOIN staff_grant g ON (g.site_id IS NULL OR g.site_id = c.site_id)
                                                     AND (g.camera_id IS NULL OR g.camera_id = c.camera_id)
              WHERE c.camera_id = shown.camera_id AND g.staff_id = s.staff_id AND g.role = ANY ($4::text[])))
      AND NOT EXISTS (
          SELECT FROM hold h
          WHERE h.kind = 'restriction' AND h.ended_ns IS NULL AND h.camera_id = ANY ($5::uuid[])
            AND h.start_ns > $6::bigint - 86400000000000 AND h.start_ns < $7::bigint AND h.end_ns > $6::bigint))

-- name: session_start
-- $1 id, $2 hash of the cookie, $3 staff, $4 now. A sign-in with both factors counts as a step-up.
INSERT INTO staff_session (session_id, token_hash, staff_id, created_ns, seen_ns, stepped_up_ns, second_factor)
VALUES ($1, $2, $3, $4, $4, $4, true)

-- name: session_end
UPDATE staff_session SET ended_ns = $2 WHERE token_hash = $1 AND ended_ns IS NULL

-- name: sessions_end_all
UPDATE staff_session SET ended_ns = $2 WHERE staff_id = $1 AND ended_ns IS NULL

-- name: session_end_one
UPDATE staff_session SET ended_ns = $2 WHERE session_id = $1 AND ended_ns IS NULL

-- name: session_step_up
UPDATE staff_session SET stepped_up_ns = $2 WHERE session_id = $1 AND ended_ns IS NULL RETURNING true
