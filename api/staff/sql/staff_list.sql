-- Everybody, with what they may, when they last signed in, and how many recovery codes they have left.
SELECT u.staff_id, u.user_name, u.display_name, u.disabled_ns IS NOT NULL AS disabled, u.created_ns,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.role, g.site_id, g.camera_id) ORDER BY g.role), '[]')
        FROM staff_grant g WHERE g.staff_id = u.staff_id)::text AS grants,
       (SELECT max(s.created_ns) FROM staff_session s WHERE s.staff_id = u.staff_id) AS signed_in_ns,
       (SELECT count(*) FROM staff_session s WHERE s.staff_id = u.staff_id AND s.ended_ns IS NULL
          AND s.created_ns > $2::bigint AND s.seen_ns > $3::bigint) AS sessions,
       (SELECT count(*) FROM recovery_code r WHERE r.staff_id = u.staff_id AND r.used_ns IS NULL) AS codes
FROM staff u WHERE $1::uuid IS NULL OR u.staff_id = $1 ORDER BY u.display_name, u.user_name
