-- $1 hash of the cookie, $2 created after, $3 seen after. No row: no session, or one that has ended in whatever way.
SELECT s.session_id, s.staff_id, s.csrf_token, s.created_ns, s.seen_ns, s.stepped_up_ns, u.user_name, u.display_name,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.role, g.site_id, g.camera_id)), '[]')
        FROM staff_grant g WHERE g.staff_id = s.staff_id)::text AS grants
FROM staff_session s JOIN staff u USING (staff_id)
WHERE s.token_hash = $1 AND s.ended_ns IS NULL AND s.second_factor AND u.disabled_ns IS NULL
  AND s.created_ns > $2 AND s.seen_ns > $3
