INSERT INTO site (site_id, name, time_zone)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
ON CONFLICT (site_id) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone
WHERE (site.name, site.time_zone) IS DISTINCT FROM (excluded.name, excluded.time_zone)
