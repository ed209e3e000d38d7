-- $6: doors that were unknown until now; their mappings hold from the beginning of time.
INSERT INTO door_camera (door_id, camera_id, before_ns, after_ns, valid_from_ns)
SELECT wanted.door_id, wanted.camera_id, wanted.before_ns, wanted.after_ns,
       CASE WHEN wanted.door_id = ANY ($6::uuid[]) THEN 0
            ELSE greatest($5::bigint, coalesce((
                SELECT max(old.valid_to_ns) FROM door_camera old
                WHERE old.door_id = wanted.door_id AND old.camera_id = wanted.camera_id), 0)) END
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS wanted (door_id, camera_id, before_ns, after_ns)
WHERE NOT EXISTS (
    SELECT FROM door_camera current
    WHERE current.door_id = wanted.door_id AND current.camera_id = wanted.camera_id
      AND current.valid_to_ns = 9223372036854775807)
