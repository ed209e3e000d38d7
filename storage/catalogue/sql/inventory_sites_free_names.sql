-- Names are unique: one that is about to go to another site is freed first, so that two sites may swap names.
UPDATE site SET name = site.site_id::text
FROM unnest($1::uuid[], $2::text[]) AS wanted (site_id, name)
WHERE site.name = wanted.name AND site.site_id <> wanted.site_id
