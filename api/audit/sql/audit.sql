-- name: member_looks
-- $1 member, $2 below this seq, $3 how many. Entries that concern the member: named in them, or seen in the footage by
-- a tag. Nothing of who looked.
SELECT a.seq, a.at_ns, a.action, p.category, c.name AS camera, a.start_ns, a.end_ns
FROM audit_entry a LEFT JOIN purpose p ON p.purpose_id = a.purpose_id LEFT JOIN camera c ON c.camera_id = a.camera_id
WHERE a.seq < $2::bigint AND a.action = ANY ($4::text[])
  AND (a.member_id = $1 OR a.detail -> 'members' ? $1::uuid::text
       OR (a.action = ANY ($5::text[]) AND EXISTS (
           SELECT FROM access_event e JOIN tag t USING (event_id)
           WHERE e.member_id = $1 AND t.camera_id = a.camera_id AND t.superseded_ns IS NULL AND e.superseded_by IS NULL
             AND t.start_ns < a.end_ns AND t.end_ns > a.start_ns)))
ORDER BY a.seq DESC LIMIT $3

-- name: audit_page
-- $1 below this seq, $2 how many, $3 everything, $4 else these cameras only, [$5, $6) when, $7 action or NULL,
-- $8 staff or NULL, $9 member or NULL
SELECT a.seq, a.at_ns, a.actor, a.action, a.session_id, a.purpose_id, a.member_id, a.camera_id, a.start_ns, a.end_ns,
       a.detail::text AS detail, u.display_name, u.user_name, p.category, p.reason, c.name AS camera, m.number
FROM audit_entry a
LEFT JOIN staff u ON 'staff:' || u.staff_id::text = a.actor
LEFT JOIN purpose p ON p.purpose_id = a.purpose_id
LEFT JOIN camera c ON c.camera_id = a.camera_id
LEFT JOIN member_identity m ON m.member_id = a.member_id
WHERE a.seq < $1::bigint AND ($3::boolean OR a.camera_id = ANY ($4::uuid[])
       OR a.detail -> 'cameras' ?| $4::uuid[]::text[])
  AND a.at_ns >= $5::bigint AND a.at_ns < $6::bigint
  AND ($7::text IS NULL OR a.action = $7) AND ($8::text IS NULL OR a.actor = $8)
  AND ($9::uuid IS NULL OR a.member_id = $9 OR a.detail -> 'members' ? $9::uuid::text)
ORDER BY a.seq DESC LIMIT $2

-- name: audit_names
-- What the ids $1 in entries' details stand for: staff, cameras and sites, as they are called now.
SELECT staff_id AS id, display_name AS name FROM staff WHERE staff_id = ANY ($1::uuid[])
UNION ALL
SELECT camera_id, name FROM camera WHERE camera_id = ANY ($1::uuid[])
UNION ALL
SELECT site_id, name FROM site WHERE site_id = ANY ($1::uuid[])
