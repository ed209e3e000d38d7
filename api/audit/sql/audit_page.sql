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
