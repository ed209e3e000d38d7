-- name: camera_health_save
-- $1 cameras, $2 their health as JSON, $3 now
INSERT INTO camera_health (camera_id, updated_ns, health)
SELECT h.camera_id, $3, h.health::jsonb
FROM unnest($1::uuid[], $2::text[]) AS h (camera_id, health) JOIN camera USING (camera_id)
ON CONFLICT (camera_id) DO UPDATE SET updated_ns = excluded.updated_ns, health = excluded.health
