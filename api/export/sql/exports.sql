-- name: export_ready
-- $1 export, $2 manifest, $3 signature, $4 now
UPDATE footage_export SET state = 'ready', problem = NULL, manifest = $2, signature = $3, finished_ns = $4
WHERE export_id = $1

-- name: minors_seen
-- $1 cameras, [$2, $3) the span. Was a minor's credential used at a door in one of the cameras' sight, close enough?
SELECT EXISTS (
    SELECT FROM door_camera m
    JOIN access_event e ON e.door_id = m.door_id AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
    JOIN member p ON p.member_id = e.member_id AND p.minor
    WHERE m.camera_id = ANY ($1::uuid[]) AND e.superseded_by IS NULL
      AND e.occurred_ns > $2::bigint - m.after_ns AND e.occurred_ns < $3::bigint + m.before_ns)

-- name: export_find
SELECT e.*, p.category, p.reason, u.display_name, a.display_name AS approver
FROM footage_export e JOIN purpose p USING (purpose_id) JOIN staff u ON u.staff_id = e.staff_id
LEFT JOIN staff a ON a.staff_id = e.approved_by
WHERE e.export_id = $1

-- name: export_list
-- $1 staff, $2 since, $3 cameras that they see, $4 how many. Their own, and what waits for a second person who sees all of it; newest
-- first.
SELECT e.*, p.category, p.reason, u.display_name, a.display_name AS approver
FROM footage_export e JOIN purpose p USING (purpose_id) JOIN staff u ON u.staff_id = e.staff_id
LEFT JOIN staff a ON a.staff_id = e.approved_by
WHERE (e.staff_id = $1 OR (e.state = 'approval' AND e.camera_ids <@ $3::uuid[])) AND e.created_ns > $2::bigint
ORDER BY e.staff_id = $1 DESC, e.created_ns DESC LIMIT $4

-- name: export_add
-- $1 id, $2 staff, $3 purpose, $4 cameras, [$5, $6) asked, $7 format, $8 state, $9 minor, $10 now
INSERT INTO footage_export (export_id, staff_id, purpose_id, camera_ids, start_ns, end_ns, format, state, minor, created_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: export_approve
-- $1 export, $2 who, $3 now. No row: another person was faster, or it is the approver's own export.
UPDATE footage_export SET approved_by = $2, approved_ns = $3, state = 'approved'
WHERE export_id = $1 AND state = 'approval' AND staff_id <> $2 RETURNING export_id

-- name: export_state
-- $1 export, $2 state, $3 problem or NULL, $4 minor
UPDATE footage_export SET state = $2, problem = $3, minor = minor OR $4, manifest = NULL, signature = NULL, finished_ns = NULL
WHERE export_id = $1
