INSERT INTO door (door_id, site_id, name, external_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
ON CONFLICT (door_id) DO UPDATE
SET site_id = excluded.site_id, name = excluded.name, external_id = excluded.external_id, removed_ns = NULL
WHERE (door.site_id, door.name, door.external_id, door.removed_ns)
    IS DISTINCT FROM (excluded.site_id, excluded.name, excluded.external_id, NULL)
