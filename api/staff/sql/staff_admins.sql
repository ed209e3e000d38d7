-- Administrators of everything who can sign in.
SELECT count(DISTINCT u.staff_id) FROM staff u JOIN staff_grant g USING (staff_id)
WHERE u.disabled_ns IS NULL AND g.role = 'admin' AND g.site_id IS NULL AND g.camera_id IS NULL
