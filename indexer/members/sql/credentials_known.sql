SELECT * FROM credential WHERE credential = ANY ($1::text[]) OR member_id = ANY ($2::uuid[])
ORDER BY credential, valid_from_ns
