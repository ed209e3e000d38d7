-- $1 cameras (NULL: all), [$2, $3) the span.
SELECT count(*) AS objects, coalesce(sum(size_bytes), 0)::bigint AS bytes FROM segment
WHERE ($1::uuid[] IS NULL OR camera_id = ANY ($1)) AND state IN ('live', 'shadow')
  AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
