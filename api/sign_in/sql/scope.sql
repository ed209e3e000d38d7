-- name: scope_cameras
-- $1 staff, $2 roles
SELECT c.camera_id, c.site_id, c.name, c.retention_s, c.removed_ns IS NOT NULL AS removed
FROM camera c
WHERE EXISTS (SELECT FROM staff_grant g WHERE g.staff_id = $1 AND g.role = ANY ($2::text[])
              AND (g.site_id IS NULL OR g.site_id = c.site_id) AND (g.camera_id IS NULL OR g.camera_id = c.camera_id))
ORDER BY c.name, c.camera_id

-- name: scope_doors
-- $1 staff, $2 roles. A door is visible to staff who may see its whole site, or a camera that has ever been mapped to it.
SELECT d.door_id, d.site_id, d.name, d.removed_ns IS NOT NULL AS removed,
       ARRAY(SELECT m.camera_id FROM door_camera m
             WHERE m.door_id = d.door_id AND m.valid_to_ns = 9223372036854775807 ORDER BY m.camera_id) AS cameras
FROM door d
WHERE EXISTS (SELECT FROM staff_grant g WHERE g.staff_id = $1 AND g.role = ANY ($2::text[])
              AND (g.site_id IS NULL OR g.site_id = d.site_id)
              AND (g.camera_id IS NULL OR EXISTS (
                  SELECT FROM door_camera m WHERE m.door_id = d.door_id AND m.camera_id = g.camera_id)))
ORDER BY d.name, d.door_id

-- name: scope_sites
-- $1 staff, $2 roles. A grant on one camera shows the camera's site, but not as a whole.
SELECT s.site_id, s.name, s.time_zone, bool_or(g.camera_id IS NULL) AS whole
FROM site s
JOIN staff_grant g ON g.staff_id = $1 AND g.role = ANY ($2::text[]) AND (g.site_id IS NULL OR g.site_id = s.site_id)
    AND (g.camera_id IS NULL
         OR EXISTS (SELECT FROM camera c WHERE c.camera_id = g.camera_id AND c.site_id = s.site_id))
GROUP BY s.site_id, s.name, s.time_zone
ORDER BY s.name

-- name: scope_camera
-- $1 staff, $2 roles, $3 camera
SELECT c.camera_id, c.site_id, c.name, c.retention_s, c.removed_ns IS NOT NULL AS removed
FROM camera c
WHERE c.camera_id = $3
  AND EXISTS (SELECT FROM staff_grant g WHERE g.staff_id = $1 AND g.role = ANY ($2::text[])
              AND (g.site_id IS NULL OR g.site_id = c.site_id) AND (g.camera_id IS NULL OR g.camera_id = c.camera_id))

-- name: members_at_doors
-- $1 members, $2 doors. Those of the members who have ever been at one of the doors.
-- EXISTS per member stops at the first event in the index on (member_id, occurred_ns).
SELECT m.member_id FROM unnest($1::uuid[]) AS m (member_id)
WHERE EXISTS (SELECT FROM access_event e WHERE e.member_id = m.member_id AND e.door_id = ANY ($2::uuid[])
              AND e.superseded_by IS NULL)
