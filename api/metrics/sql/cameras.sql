-- name: camera_metrics
-- Health of every configured camera; NULL where ingest has reported none yet.
SELECT c.camera_id, c.name, h.updated_ns, h.health::text AS health FROM camera c LEFT JOIN camera_health h USING (camera_id)
WHERE c.removed_ns IS NULL ORDER BY c.camera_id
