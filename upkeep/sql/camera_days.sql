-- Where there are live rows: one row per camera and UTC day.
SELECT site_id, camera_id, start_ns - start_ns % 86400000000000 AS day_ns, count(*) AS segments
FROM segment WHERE state = 'live' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
