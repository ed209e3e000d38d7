-- name: inventory_lock
-- One change of the inventory at a time; the number differs from those of all other advisory locks.
SELECT pg_advisory_xact_lock(7411222003)

-- name: inventory_mappings_changed
-- Put the events of doors whose mappings changed within a day of $1 into the outbox again, from the change on: they may have
-- been joined by the earlier mapping. Joining an event twice is harmless.
INSERT INTO outbox (kind, ref)
SELECT DISTINCT 'event', e.event_id
FROM door_camera m
CROSS JOIN LATERAL (VALUES (m.valid_from_ns), (m.valid_to_ns)) AS change (at_ns)
JOIN access_event e ON e.door_id = m.door_id AND e.occurred_ns >= change.at_ns
WHERE change.at_ns BETWEEN $1::bigint - 86400000000000 AND $1::bigint + 86400000000000 AND e.superseded_by IS NULL

-- name: inventory_sites_free_names
-- Names are unique: one that is about to go to another site is freed first, so that two sites may swap names.
UPDATE site SET name = site.site_id::text
FROM unnest($1::uuid[], $2::text[]) AS wanted (site_id, name)
WHERE site.name = wanted.name AND site.site_id <> wanted.site_id

-- name: inventory_sites
INSERT INTO site (site_id, name, time_zone)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
ON CONFLICT (site_id) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone
WHERE (site.name, site.time_zone) IS DISTINCT FROM (excluded.name, excluded.time_zone)

-- name: inventory_cameras_remove
-- Mark as removed what the configuration no longer names. Nothing is deleted: footage and events refer to it.
UPDATE camera SET removed_ns = $2 WHERE removed_ns IS NULL AND camera_id <> ALL ($1::uuid[])

-- name: inventory_cameras_free_names
-- A name that is about to go to another camera is freed first, so that two cameras may swap names.
UPDATE camera SET name = camera.camera_id::text
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS wanted (camera_id, site_id, name)
WHERE camera.removed_ns IS NULL AND camera.site_id = wanted.site_id AND camera.name = wanted.name
  AND camera.camera_id <> wanted.camera_id

-- name: inventory_cameras
INSERT INTO camera (camera_id, site_id, name, retention_s)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])
ON CONFLICT (camera_id) DO UPDATE
SET site_id = excluded.site_id, name = excluded.name, retention_s = excluded.retention_s, removed_ns = NULL
WHERE (camera.site_id, camera.name, camera.retention_s, camera.removed_ns)
    IS DISTINCT FROM (excluded.site_id, excluded.name, excluded.retention_s, NULL)

-- name: inventory_doors_known
SELECT door_id FROM door WHERE door_id = ANY ($1::uuid[])

-- name: inventory_doors_remove
UPDATE door SET removed_ns = $2 WHERE removed_ns IS NULL AND door_id <> ALL ($1::uuid[])

-- name: inventory_doors_free_names
-- Names and external ids that are about to go to another door are freed first.
UPDATE door SET name = door.door_id::text, external_id = door.door_id::text
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS wanted (door_id, site_id, name, external_id)
WHERE door.removed_ns IS NULL AND door.site_id = wanted.site_id AND door.door_id <> wanted.door_id
  AND (door.name = wanted.name OR door.external_id = wanted.external_id)

-- name: inventory_doors
INSERT INTO door (door_id, site_id, name, external_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
ON CONFLICT (door_id) DO UPDATE
SET site_id = excluded.site_id, name = excluded.name, external_id = excluded.external_id, removed_ns = NULL
WHERE (door.site_id, door.name, door.external_id, door.removed_ns)
    IS DISTINCT FROM (excluded.site_id, excluded.name, excluded.external_id, NULL)

-- name: inventory_mappings_close
-- End every mapping in force that the configuration does not repeat unchanged. One that began after $5, because the clock
-- stepped back, ends a nanosecond after it began: the CHECK wants an end after the begin.
UPDATE door_camera AS old SET valid_to_ns = greatest($5::bigint, old.valid_from_ns + 1)
WHERE old.valid_to_ns = 9223372036854775807
  AND NOT EXISTS (
    SELECT FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS wanted (door_id, camera_id, before_ns, after_ns)
    WHERE (wanted.door_id, wanted.camera_id, wanted.before_ns, wanted.after_ns)
        = (old.door_id, old.camera_id, old.before_ns, old.after_ns))

-- name: inventory_mappings_open
-- $6 doors that were unknown until now: their mappings hold from the beginning of time, for events that arrive late. Any
-- other mapping begins now, or where the one before it ended.
INSERT INTO door_camera (door_id, camera_id, before_ns, after_ns, valid_from_ns)
SELECT wanted.door_id, wanted.camera_id, wanted.before_ns, wanted.after_ns,
       CASE WHEN wanted.door_id = ANY ($6::uuid[]) THEN 0
            ELSE greatest($5::bigint, coalesce((
                SELECT max(old.valid_to_ns) FROM door_camera old
                WHERE old.door_id = wanted.door_id AND old.camera_id = wanted.camera_id), 0)) END
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS wanted (door_id, camera_id, before_ns, after_ns)
WHERE NOT EXISTS (
    SELECT FROM door_camera current
    WHERE current.door_id = wanted.door_id AND current.camera_id = wanted.camera_id
      AND current.valid_to_ns = 9223372036854775807)
