DELETE FROM credential USING unnest($1::text[], $2::bigint[]) AS gone (credential, valid_from_ns)
WHERE credential.credential = gone.credential AND credential.valid_from_ns = gone.valid_from_ns
