-- $1 cameras, $2 their lifetimes (ns, whole hours, counted from the start of the hour of recording), $3 first hour, $4 last hour.
-- Hours of cameras without an active key of that lifetime.
SELECT c.camera_id, c.ordinal, h.hour_ns
FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS c (camera_id, lifetime_ns, ordinal)
CROSS JOIN generate_series($3::bigint, $4::bigint, 3600000000000) AS h (hour_ns)
WHERE NOT EXISTS (
    SELECT FROM hour_key k
    WHERE k.camera_id = c.camera_id AND k.hour_ns = h.hour_ns
      AND k.state = 'active' AND k.expires_hour_ns = h.hour_ns + c.lifetime_ns)
ORDER BY h.hour_ns, c.ordinal
