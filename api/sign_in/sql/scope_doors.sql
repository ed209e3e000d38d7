-- $1 staff, $2 roles. A door is seen by whoever may see its whole site, or a camera that has ever been mapped to it.
SELECT d.door_id, d.site_id, d.name, d.removed_ns IS NOT NULL AS removed,
       ARRAY(SELECT m.camera_id FROM door_camera m
             WHERE m.door_id = d.door_id AND m.valid_to_ns = 9223372036854775807 ORDER BY m.camera_id) AS cameras
FROM door d
WHERE EXISTS (SELECT FROM staff_grant g WHERE g.staff_id = $1 AND g.role = ANY ($2::text[])
              AND (g.site_id IS NULL OR g.site_id = d.site_id)
              AND (g.camera_id IS NULL OR EXISTS (
                  SELECT FROM door_camera m WHERE m.door_id = d.door_id AND m.camera_id = g.camera_id)))
ORDER BY d.name, d.door_id
