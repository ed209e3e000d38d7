-- name: bookmark_lock
-- $1 camera. Footage ends under the camera's lock: held together with others who bookmark, until the bookmark is there.
SELECT pg_advisory_xact_lock_shared(hashtextextended('camera ' || $1::text, 0))

-- name: bookmark_add
-- $1 id, $2 camera, $3 moment, $4 note, $5 staff, $6 now. No row: the moment has no footage, or a case restricts it.
INSERT INTO bookmark (bookmark_id, camera_id, at_ns, note, staff_id, added_ns)
SELECT $1, $2, $3, $4, $5, $6
WHERE EXISTS (
    SELECT FROM segment
    WHERE camera_id = $2 AND state = 'live' AND start_ns > $3::bigint - 120000000000 AND start_ns <= $3 AND end_ns > $3)
  AND NOT EXISTS (
    SELECT FROM hold
    WHERE camera_id = $2 AND kind = 'restriction' AND ended_ns IS NULL
      AND start_ns > $3::bigint - 86400000000000 AND start_ns <= $3 AND end_ns > $3)
RETURNING bookmark_id

-- name: bookmark_list
-- [$2, $3) of the cameras $1, and of $4, a case, or NULL; $5 or NULL: this one; $6 how many. What a restriction closes is
-- left out.
SELECT m.bookmark_id, m.camera_id, m.at_ns, m.note, m.staff_id, m.added_ns, m.case_id, u.display_name
FROM bookmark m JOIN staff u USING (staff_id)
WHERE m.camera_id = ANY ($1::uuid[]) AND m.at_ns >= $2::bigint AND m.at_ns < $3::bigint
  AND ($4::uuid IS NULL OR m.case_id = $4) AND ($5::uuid IS NULL OR m.bookmark_id = $5)
  AND NOT EXISTS (
    SELECT FROM hold h
    WHERE h.camera_id = m.camera_id AND h.kind = 'restriction' AND h.ended_ns IS NULL
      AND h.start_ns > m.at_ns - 86400000000000 AND h.start_ns <= m.at_ns AND h.end_ns > m.at_ns)
ORDER BY m.at_ns, m.bookmark_id LIMIT $6

-- name: bookmark_file
-- $1 bookmark, $2 case. No row: the case is not open, or none of its holds keeps the moment.
UPDATE bookmark m SET case_id = $2
WHERE m.bookmark_id = $1
  AND EXISTS (SELECT FROM case_file c WHERE c.case_id = $2 AND c.state = 'open')
  AND EXISTS (
    SELECT FROM hold h
    WHERE h.case_id = $2 AND h.camera_id = m.camera_id AND h.ended_ns IS NULL AND h.start_ns <= m.at_ns AND h.end_ns > m.at_ns)
RETURNING bookmark_id

-- name: bookmark_remove
-- $1 bookmark, $2 its author.
DELETE FROM bookmark WHERE bookmark_id = $1 AND staff_id = $2 RETURNING camera_id, at_ns
