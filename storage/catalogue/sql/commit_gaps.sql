INSERT INTO gap (camera_id, start_ns, end_ns, cause, detail)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
ON CONFLICT DO NOTHING
