INSERT INTO recovery_code (staff_id, code_hash) SELECT $1, unnest($2::bytea[])
