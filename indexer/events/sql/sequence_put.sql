-- $1 instance, $2 doors in order, $3 last numbers, $4 what is missing
INSERT INTO door_sequence (door_id, instance, last_seq, missing)
SELECT door_id, $1, last_seq, missing::jsonb
FROM unnest($2::uuid[], $3::bigint[], $4::text[]) AS counted (door_id, last_seq, missing)
ON CONFLICT (door_id, instance) DO UPDATE SET last_seq = excluded.last_seq, missing = excluded.missing
