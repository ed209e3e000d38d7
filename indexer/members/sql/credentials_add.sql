INSERT INTO credential (credential, member_id, valid_from_ns, valid_to_ns)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[])
