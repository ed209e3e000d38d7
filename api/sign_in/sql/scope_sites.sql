-- $1 staff, $2 roles. A grant on one camera shows the camera's site, but not as a whole.
SELECT s.site_id, s.name, s.time_zone, bool_or(g.camera_id IS NULL) AS whole
FROM site s
JOIN staff_grant g ON g.staff_id = $1 AND g.role = ANY ($2::text[]) AND (g.site_id IS NULL OR g.site_id = s.site_id)
    AND (g.camera_id IS NULL
         OR EXISTS (SELECT FROM camera c WHERE c.camera_id = g.camera_id AND c.site_id = s.site_id))
GROUP BY s.site_id, s.name, s.time_zone
ORDER BY s.name
