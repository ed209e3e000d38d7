-- name: export_ready
-- $1 export, $2 attempt, $3 manifest, $4 signature, $5 now. No row: a later attempt, or a withdrawn approval, overtook this one.
UPDATE footage_export SET state = 'ready', problem = NULL, manifest = $3, signature = $4, finished_ns = $5
WHERE export_id = $1 AND state = 'working' AND attempt = $2 RETURNING export_id

-- name: export_failed
-- $1 export, $2 attempt, $3 problem. No row: as above.
UPDATE footage_export SET state = 'failed', problem = $3
WHERE export_id = $1 AND state = 'working' AND attempt = $2 RETURNING export_id

-- name: export_begin
-- $1 export, $2 the attempt that was read. Returns the new attempt; no row: it waits for an approval, or another request has
-- begun. What is 'working' without a maker was interrupted.
UPDATE footage_export SET state = 'working', attempt = attempt + 1, problem = NULL, manifest = NULL, signature = NULL,
    finished_ns = NULL
WHERE export_id = $1 AND state IN ('approved', 'working', 'ready', 'failed') AND attempt = $2 RETURNING attempt

-- name: export_reopen
-- $1 export. A minor came to light since the approval, which is void now, as is what was made with it.
UPDATE footage_export SET state = 'approval', minor = true, approved_by = NULL, approved_ns = NULL, problem = NULL,
    manifest = NULL, signature = NULL, finished_ns = NULL
WHERE export_id = $1 AND state IN ('approved', 'working', 'ready', 'failed') AND NOT minor RETURNING export_id

-- name: export_minor
-- $1 export. The same while it waits for its approval.
UPDATE footage_export SET minor = true WHERE export_id = $1 AND state = 'approval' AND NOT minor RETURNING export_id

-- name: minors_seen
-- $1 cameras, [$2, $3) the span. Whether a minor's credential was used at a door of one of the cameras, so that the
-- mapping's time around the event overlaps the span.
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
-- $1 staff, $2 since, $3 cameras that the person sees, $4 how many. The person's own exports, and those that wait for
-- approval and show no other camera (<@: contained in); newest first.
SELECT e.*, p.category, p.reason, u.display_name, a.display_name AS approver
FROM footage_export e JOIN purpose p USING (purpose_id) JOIN staff u ON u.staff_id = e.staff_id
LEFT JOIN staff a ON a.staff_id = e.approved_by
WHERE (e.staff_id = $1 OR (e.state = 'approval' AND e.camera_ids <@ $3::uuid[])) AND e.created_ns > $2::bigint
ORDER BY e.staff_id = $1 DESC, e.created_ns DESC LIMIT $4

-- name: export_add
-- $1 id, $2 staff, $3 purpose, $4 cameras, [$5, $6) asked, $7 format, $8 minor, $9 now
INSERT INTO footage_export (export_id, staff_id, purpose_id, camera_ids, start_ns, end_ns, format, state, minor, created_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'approval', $8, $9)

-- name: export_approve
-- $1 export, $2 who, $3 now, $4 whether the approver knows of a minor. No row: it does not wait any more, a minor has
-- come to light, or it is the approver's own or in one hand with that.
UPDATE footage_export SET approved_by = $2, approved_ns = $3, state = 'approved'
WHERE export_id = $1 AND state = 'approval' AND minor = $4 AND staff_id <> $2
  AND NOT EXISTS (SELECT FROM staff_in_one_hand($2, $3) AS hand (staff_id) WHERE hand.staff_id = footage_export.staff_id)
RETURNING export_id
