-- $1 camera, [$2, $3) a span: what lies in it already, from the first segment to the last.
SELECT min(start_ns) AS start_ns, max(end_ns) AS end_ns, count(*) AS segments FROM segment
WHERE camera_id = $1 AND state = 'live'
  AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
