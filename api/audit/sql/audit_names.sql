-- What the ids $1 in entries' details stand for: staff, cameras and sites, as they are called now.
SELECT staff_id AS id, display_name AS name FROM staff WHERE staff_id = ANY ($1::uuid[])
UNION ALL
SELECT camera_id, name FROM camera WHERE camera_id = ANY ($1::uuid[])
UNION ALL
SELECT site_id, name FROM site WHERE site_id = ANY ($1::uuid[])
