-- $1 cameras, [$2, $3) the span. No row is longer than a day (CHECK).
SELECT camera_id, start_ns, end_ns, cause, detail FROM gap
WHERE camera_id = ANY ($1::uuid[])
  AND start_ns >= $2::bigint - 86400000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
ORDER BY camera_id, start_ns, end_ns
