-- Ends every mapping in force that the configuration no longer says in the same words. One that began after $5 (the
-- clock stepped back) ends a nanosecond after it began.
UPDATE door_camera AS old SET valid_to_ns = greatest($5::bigint, old.valid_from_ns + 1)
WHERE old.valid_to_ns = 9223372036854775807
  AND NOT EXISTS (
    SELECT FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS wanted (door_id, camera_id, before_ns, after_ns)
    WHERE (wanted.door_id, wanted.camera_id, wanted.before_ns, wanted.after_ns)
        = (old.door_id, old.camera_id, old.before_ns, old.after_ns))
