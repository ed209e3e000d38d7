-- name: member_looks
-- $1 member, $2 below this seq, $3 how many, $4 actions, $5 those of them that show footage. The entries that concern the
-- member: they name the member, their footage carries a tag of the member, or they took the whole register out. The columns do not say who looked.
SELECT a.seq, a.at_ns, a.action, p.category, c.name AS camera, a.start_ns, a.end_ns
FROM audit_entry a LEFT JOIN purpose p ON p.purpose_id = a.purpose_id LEFT JOIN camera c ON c.camera_id = a.camera_id
WHERE a.seq < $2::bigint AND a.action = ANY ($4::text[]) AND a.actor NOT LIKE 'member:%'  -- their own hand
  AND (a.member_id = $1 OR a.detail -> 'members' ? $1::uuid::text
       OR (a.action = 'register_exported' AND a.at_ns >= (SELECT created_ns FROM member WHERE member_id = $1))
       OR (a.action = ANY ($5::text[]) AND EXISTS (
           SELECT FROM access_event e JOIN tag t USING (event_id)
           WHERE e.member_id = $1 AND t.camera_id = a.camera_id AND t.superseded_ns IS NULL AND e.superseded_by IS NULL
             AND t.start_ns < a.end_ns AND t.end_ns > a.start_ns)))
ORDER BY a.seq DESC LIMIT $3

-- name: member_bookmarks
-- $1 member. Bookmarks of moments that a tag of the member covers. The columns do not say who bookmarked them.
SELECT DISTINCT m.at_ns, c.name AS camera, m.note, m.bookmark_id
FROM access_event e JOIN tag t USING (event_id) JOIN bookmark m ON m.camera_id = t.camera_id
    AND m.at_ns >= t.start_ns AND m.at_ns < t.end_ns
JOIN camera c ON c.camera_id = m.camera_id
WHERE e.member_id = $1 AND e.superseded_by IS NULL AND t.superseded_ns IS NULL
ORDER BY m.at_ns, m.bookmark_id

-- name: audit_entries
-- Those of the numbers $1, the newest first.
SELECT a.seq, a.at_ns, a.actor, a.action, a.session_id, a.purpose_id, a.member_id, a.camera_id, a.start_ns, a.end_ns,
       a.detail::text AS detail, u.display_name, u.user_name, p.category, p.reason, c.name AS camera, m.number
FROM audit_entry a
LEFT JOIN staff u ON 'staff:' || u.staff_id::text = a.actor
LEFT JOIN purpose p ON p.purpose_id = a.purpose_id
LEFT JOIN camera c ON c.camera_id = a.camera_id
LEFT JOIN member_identity m ON m.member_id = a.member_id
WHERE a.seq = ANY ($1::bigint[])
ORDER BY a.seq DESC

-- name: audit_names
-- The present names of the ids $1 in entries' details: staff, cameras and sites.
SELECT staff_id AS id, display_name AS name FROM staff WHERE staff_id = ANY ($1::uuid[])
UNION ALL
SELECT camera_id, name FROM camera WHERE camera_id = ANY ($1::uuid[])
UNION ALL
SELECT site_id, name FROM site WHERE site_id = ANY ($1::uuid[])

-- name: audit_members
-- Which of the ids $1 are members'.
SELECT member_id FROM member WHERE member_id = ANY ($1::uuid[])

-- name: audit_people
-- $1 whether everybody, $2 else those with a role at these cameras. Staff by name.
SELECT u.staff_id, u.display_name FROM staff u
WHERE $1::boolean OR EXISTS (
    SELECT FROM staff_grant g JOIN camera c ON c.camera_id = ANY ($2::uuid[])
    WHERE g.staff_id = u.staff_id AND (g.site_id IS NULL OR g.site_id = c.site_id)
      AND (g.camera_id IS NULL OR g.camera_id = c.camera_id))
ORDER BY u.display_name, u.staff_id
