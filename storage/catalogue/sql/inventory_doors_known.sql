SELECT door_id FROM door WHERE door_id = ANY ($1::uuid[])
