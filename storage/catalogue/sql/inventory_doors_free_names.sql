-- Names and external ids that are about to go to another door are freed first.
UPDATE door SET name = door.door_id::text, external_id = door.door_id::text
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS wanted (door_id, site_id, name, external_id)
WHERE door.removed_ns IS NULL AND door.site_id = wanted.site_id AND door.door_id <> wanted.door_id
  AND (door.name = wanted.name OR door.external_id = wanted.external_id)
