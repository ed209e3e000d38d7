-- name: zones_of_staff
-- $1 staff. The time zones of all sites to which one of the person's grants extends.
SELECT DISTINCT s.time_zone FROM site s JOIN staff_grant g ON g.staff_id = $1
LEFT JOIN camera c ON c.camera_id = g.camera_id
WHERE (g.site_id IS NULL OR g.site_id = s.site_id) AND (g.camera_id IS NULL OR c.site_id = s.site_id)
