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
-- $1 cameras in the person's sight, $2 staff, $3 how many, $4 roles for cases, $5 one case, or NULL. Open ones first, by the
-- date of review. A case is in sight when all of its cameras are, or when it is the person's own. One that names no camera
-- yet may be about any camera of who opened it; about any at all where that person has no role for cases any more.
SELECT c.*, coalesce(o.display_name, '–') AS opener, a.display_name AS closer, b.display_name AS second,
       (SELECT count(*) FROM hold h WHERE h.case_id = c.case_id AND h.ended_ns IS NULL) AS holds
FROM case_file c LEFT JOIN staff o ON o.staff_id = c.opened_by
LEFT JOIN staff a ON a.staff_id = c.closing_by LEFT JOIN staff b ON b.staff_id = c.closed_by
CROSS JOIN LATERAL (
    SELECT array_agg(camera_id) AS cameras FROM (
        SELECT h.camera_id FROM hold h WHERE h.case_id = c.case_id
        UNION SELECT e.camera_id FROM case_entry e WHERE e.case_id = c.case_id AND e.camera_id IS NOT NULL) named
) n
WHERE ($5::uuid IS NULL OR c.case_id = $5)
  AND (c.opened_by = $2 OR n.cameras <@ $1::uuid[] OR (n.cameras IS NULL AND NOT EXISTS (
      SELECT FROM camera k
      WHERE k.camera_id <> ALL ($1::uuid[])
        AND (NOT EXISTS (SELECT FROM staff_grant g WHERE g.staff_id = c.opened_by AND g.role = ANY ($4::text[]))
             OR EXISTS (SELECT FROM staff_grant g WHERE g.staff_id = c.opened_by AND g.role = ANY ($4::text[])
                        AND (g.site_id IS NULL OR g.site_id = k.site_id)
                        AND (g.camera_id IS NULL OR g.camera_id = k.camera_id))))))
ORDER BY c.state = 'closed', c.review_ns, c.number LIMIT $3

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
