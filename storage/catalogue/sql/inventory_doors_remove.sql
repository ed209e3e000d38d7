UPDATE door SET removed_ns = $2 WHERE removed_ns IS NULL AND door_id <> ALL ($1::uuid[])
