-- name: exposed
-- Behind ($1, $5), a time and a seq, and before $2; $3 actions, $4 one actor or NULL, $6 how many: by the index over the
-- time, oldest first. An export's cameras and span stand in its own row.
SELECT a.seq, a.at_ns, a.actor, a.action, a.member_id, a.camera_id, a.start_ns, a.end_ns, a.detail::text AS detail,
       u.display_name, u.user_name, p.category, x.camera_ids, x.start_ns AS export_start_ns, x.end_ns AS export_end_ns
FROM (
    SELECT * FROM audit_entry
    WHERE (at_ns, seq) > ($1::bigint, $5::bigint) AND at_ns < $2::bigint AND action = ANY ($3::text[])
      AND ($4::text IS NULL OR actor = $4)
    ORDER BY at_ns, seq LIMIT $6) AS a
LEFT JOIN staff u ON 'staff:' || u.staff_id::text = a.actor
LEFT JOIN purpose p ON p.purpose_id = a.purpose_id
LEFT JOIN footage_export x ON x.export_id::text = a.detail ->> 'export_id'
ORDER BY a.at_ns, a.seq

-- name: members_seen
-- Cameras $1 with spans [$2, $3): the members whose credential was used then at a door that the camera saw then.
SELECT DISTINCT s.camera_id, e.member_id
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS s (camera_id, start_ns, end_ns)
JOIN door_camera m ON m.camera_id = s.camera_id
CROSS JOIN LATERAL (
    SELECT member_id FROM access_event
    WHERE door_id = m.door_id AND superseded_by IS NULL AND member_id IS NOT NULL
      AND occurred_ns > s.start_ns - m.after_ns AND occurred_ns < s.end_ns + m.before_ns
      AND occurred_ns >= m.valid_from_ns AND occurred_ns < m.valid_to_ns
    OFFSET 0) AS e

-- name: staff_of_name
-- The person with the user name $1.
SELECT staff_id FROM staff WHERE user_name = $1

-- name: camera_names
-- $1 cameras, with their sites.
SELECT c.camera_id, s.name || ': ' || c.name AS name FROM camera c JOIN site s USING (site_id)
WHERE c.camera_id = ANY ($1::uuid[])

-- name: earliest_event
-- When the first event that is still kept occurred, and when the audit trail begins.
SELECT (SELECT min(first_ns) FROM site s CROSS JOIN LATERAL (
            SELECT occurred_ns AS first_ns FROM access_event WHERE site_id = s.site_id
            ORDER BY occurred_ns LIMIT 1) AS e) AS event_ns,
       (SELECT at_ns FROM audit_entry ORDER BY seq LIMIT 1) AS entry_ns
