SELECT nextval('hour_key_serial') AS serial FROM generate_series(1, $1::int)
