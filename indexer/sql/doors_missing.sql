SELECT count(*) FROM unnest($1::uuid[]) AS wanted (door_id) WHERE NOT EXISTS (
    SELECT FROM door WHERE door.door_id = wanted.door_id AND door.removed_ns IS NULL)
