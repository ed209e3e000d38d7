-- Everything is marked removed that the configuration no longer names.
UPDATE camera SET removed_ns = $2 WHERE removed_ns IS NULL AND camera_id <> ALL ($1::uuid[])
