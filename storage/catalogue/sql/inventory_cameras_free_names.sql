-- A name that is about to go to another camera is freed first, so that two cameras may swap names.
UPDATE camera SET name = camera.camera_id::text
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS wanted (camera_id, site_id, name)
WHERE camera.removed_ns IS NULL AND camera.site_id = wanted.site_id AND camera.name = wanted.name
  AND camera.camera_id <> wanted.camera_id
