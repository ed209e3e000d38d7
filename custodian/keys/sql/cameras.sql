-- Cameras that need hour keys, and how long their footage lives.
SELECT camera_id, site_id, retention_s FROM camera WHERE removed_ns IS NULL ORDER BY camera_id
