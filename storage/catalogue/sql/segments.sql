-- $1 cameras, [$2, $3) the span. No segment is longer than 120 s (CHECK), hence the bound that lets partitions be pruned.
SELECT * FROM segment
WHERE camera_id = ANY ($1::uuid[]) AND state = 'live'
  AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
ORDER BY camera_id, start_ns
