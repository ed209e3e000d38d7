SELECT camera_id, updated_ns, health::text AS health FROM camera_health WHERE camera_id = ANY ($1::uuid[])
