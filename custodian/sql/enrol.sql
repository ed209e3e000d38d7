INSERT INTO recorder (recorder_id, name, public_key, enrolled_ns) VALUES ($1, $2, $3, $4)
ON CONFLICT (recorder_id) DO NOTHING
RETURNING recorder_id
