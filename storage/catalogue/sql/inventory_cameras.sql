INSERT INTO camera (camera_id, site_id, name, retention_s)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])
ON CONFLICT (camera_id) DO UPDATE
SET site_id = excluded.site_id, name = excluded.name, retention_s = excluded.retention_s, removed_ns = NULL
WHERE (camera.site_id, camera.name, camera.retention_s, camera.removed_ns)
    IS DISTINCT FROM (excluded.site_id, excluded.name, excluded.retention_s, NULL)
