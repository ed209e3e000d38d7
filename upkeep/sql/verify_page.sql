-- The same, in order, from behind ($4, $5) on, $6 at most.
SELECT * FROM segment
WHERE ($1::uuid[] IS NULL OR camera_id = ANY ($1)) AND state IN ('live', 'shadow')
  AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
  AND start_ns >= $4 AND (start_ns, segment_id) > ($4, $5::uuid)
ORDER BY start_ns, segment_id LIMIT $6
