-- name: days
-- $1 camera, $2 and $3 the begins and ends of days, $4 doors. A row a day, in order: whether live footage touches it (one
-- probe of the index each; segments are shorter than two minutes), and how many events in force the camera saw.
SELECT EXISTS (
           SELECT FROM segment
           WHERE camera_id = $1 AND state = 'live'
             AND start_ns > day.start_ns - 120000000000 AND start_ns < day.end_ns AND end_ns > day.start_ns
       ) AS footage,
       (SELECT count(*) FROM access_event e
        JOIN door_camera m ON m.door_id = e.door_id AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
        WHERE m.camera_id = $1 AND e.door_id = ANY ($4::uuid[]) AND e.superseded_by IS NULL
          AND e.occurred_ns >= day.start_ns AND e.occurred_ns < day.end_ns) AS events
FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS day (start_ns, end_ns, number)
ORDER BY day.number
