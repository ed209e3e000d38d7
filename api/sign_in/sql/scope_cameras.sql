-- $1 staff, $2 roles
SELECT c.camera_id, c.site_id, c.name, c.retention_s, c.removed_ns IS NOT NULL AS removed
FROM camera c
WHERE EXISTS (SELECT FROM staff_grant g WHERE g.staff_id = $1 AND g.role = ANY ($2::text[])
              AND (g.site_id IS NULL OR g.site_id = c.site_id) AND (g.camera_id IS NULL OR g.camera_id = c.camera_id))
ORDER BY c.name, c.camera_id
