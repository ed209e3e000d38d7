INSERT INTO staff_grant (grant_id, staff_id, role, site_id, camera_id) VALUES ($1, $2, $3, $4, $5)
