-- name: walls
-- $1 account.
SELECT site_id, camera_ids FROM staff_wall WHERE staff_id = $1 ORDER BY site_id

-- name: wall_arrange
-- $1 account, $2 site, $3 cameras in their order.
INSERT INTO staff_wall (staff_id, site_id, camera_ids) VALUES ($1, $2, $3)
ON CONFLICT (staff_id, site_id) DO UPDATE SET camera_ids = excluded.camera_ids

-- name: wall_forget
-- $1 account, $2 site.
DELETE FROM staff_wall WHERE staff_id = $1 AND site_id = $2
