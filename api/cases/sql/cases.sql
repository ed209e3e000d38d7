-- name: case_lock
-- Case numbers are given one after the other: see case_add.
SELECT pg_advisory_xact_lock(hashtextextended('case number', 0))

-- name: case_add
-- $1 id, $2 year, $3 title, $4 reason, $5 staff, $6 now, $7 review. The number counts within its year.
INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns)
SELECT $1, $2 || '-' || lpad((coalesce(max(split_part(number, '-', 2)::int), 0) + 1)::text, 3, '0'), $3, $4, $5, $6, $7
FROM case_file WHERE number LIKE $2 || '-%'
RETURNING number

-- name: case_list
-- $1 cameras in the person's sight, $2 staff, $3 how many. Open ones first, by the date of review; a case is in sight when
-- all of its cameras are, or when it is the person's own.
SELECT c.*, coalesce(o.display_name, '–') AS opener, a.display_name AS closer, b.display_name AS second,
       (SELECT count(*) FROM hold h WHERE h.case_id = c.case_id AND h.ended_ns IS NULL) AS holds
FROM case_file c LEFT JOIN staff o ON o.staff_id = c.opened_by
LEFT JOIN staff a ON a.staff_id = c.closing_by LEFT JOIN staff b ON b.staff_id = c.closed_by
WHERE c.opened_by = $2 OR NOT EXISTS (
    SELECT FROM hold h WHERE h.case_id = c.case_id AND h.camera_id <> ALL ($1::uuid[])
    UNION ALL
    SELECT FROM case_entry e WHERE e.case_id = c.case_id AND e.camera_id <> ALL ($1::uuid[]))
ORDER BY c.state = 'closed', c.review_ns, c.number LIMIT $3

-- name: case_find
-- $1 case.
SELECT c.*, coalesce(o.display_name, '–') AS opener, a.display_name AS closer, b.display_name AS second,
       (SELECT count(*) FROM hold h WHERE h.case_id = c.case_id AND h.ended_ns IS NULL) AS holds
FROM case_file c LEFT JOIN staff o ON o.staff_id = c.opened_by
LEFT JOIN staff a ON a.staff_id = c.closing_by LEFT JOIN staff b ON b.staff_id = c.closed_by
WHERE c.case_id = $1

-- name: case_cameras
-- $1 case.
SELECT camera_id FROM hold WHERE case_id = $1
UNION SELECT camera_id FROM case_entry WHERE case_id = $1 AND camera_id IS NOT NULL

-- name: case_holds
-- $1 case.
SELECT h.hold_id, h.kind, h.camera_id, h.start_ns, h.end_ns, h.placed_ns, h.ended_ns,
       coalesce(u.display_name, '–') AS display_name
FROM hold h LEFT JOIN staff u ON u.staff_id = h.placed_by
WHERE h.case_id = $1 ORDER BY h.start_ns, h.placed_ns

-- name: case_entries
-- $1 case.
SELECT e.kind, e.added_ns, e.note, e.camera_id, e.start_ns, e.end_ns, e.export_id, u.display_name
FROM case_entry e JOIN staff u USING (staff_id)
WHERE e.case_id = $1 ORDER BY e.entry_id

-- name: entry_add
-- $1 case, $2 kind, $3 staff, $4 now, $5 note, $6 camera, $7 start, $8 end. No row: the case has ended.
INSERT INTO case_entry (case_id, kind, staff_id, added_ns, note, camera_id, start_ns, end_ns)
SELECT case_id, $2, $3, $4, $5, $6, $7, $8 FROM case_file WHERE case_id = $1 AND state <> 'closed'
RETURNING entry_id

-- name: case_change
-- $1 case, $2 review. No row: the case has ended.
UPDATE case_file SET review_ns = $2 WHERE case_id = $1 AND state <> 'closed' RETURNING case_id
