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
SELECT e.*, p.category, p.reason, u.display_name, a.display_name AS approver, d.display_name AS ender
FROM footage_export e JOIN purpose p USING (purpose_id) JOIN staff u ON u.staff_id = e.staff_id
LEFT JOIN staff a ON a.staff_id = e.approved_by LEFT JOIN staff d ON d.staff_id = e.ended_by
WHERE e.export_id = $1

-- name: export_list
-- $1 staff, $2 since, $3 cameras that the person sees, $4 how many. The person's own exports, and those that wait for
-- approval and show no other camera (<@: contained in); newest first.
SELECT e.*, p.category, p.reason, u.display_name, a.display_name AS approver, d.display_name AS ender
FROM footage_export e JOIN purpose p USING (purpose_id) JOIN staff u ON u.staff_id = e.staff_id
LEFT JOIN staff a ON a.staff_id = e.approved_by LEFT JOIN staff d ON d.staff_id = e.ended_by
WHERE (e.staff_id = $1 OR (e.state = 'approval' AND e.camera_ids <@ $3::uuid[])) AND e.created_ns > $2::bigint
ORDER BY e.staff_id = $1 DESC, e.created_ns DESC LIMIT $4

-- name: export_add
-- $1 id, $2 staff, $3 purpose, $4 cameras, [$5, $6) asked, $7 format, $8 minor, $9 now, $10 how much footage there is, $11 masked
INSERT INTO footage_export
    (export_id, staff_id, purpose_id, camera_ids, start_ns, end_ns, format, state, minor, created_ns, footage_ns, masked)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'approval', $8, $9, $10, $11)

-- name: export_approve
-- $1 export, $2 who, $3 now, $4 whether the approver knows of a minor, $5 how much footage there is now (export_footage). No
-- row: it does not wait any more, a minor has come to light, some of its footage is gone, or it is the approver's own or in
-- one hand with that.
UPDATE footage_export SET approved_by = $2, approved_ns = $3, state = 'approved'
WHERE export_id = $1 AND state = 'approval' AND minor = $4 AND $5::bigint > 0 AND footage_ns <= $5::bigint + 1000000000 AND staff_id <> $2
  AND NOT EXISTS (SELECT FROM staff_in_one_hand($2, $3) AS hand (staff_id) WHERE hand.staff_id = footage_export.staff_id)
RETURNING export_id

-- name: export_refuse
-- $1 export, $2 who, $3 now, $4 why. No row: it does not wait any more, or it is their own or in one hand with that.
UPDATE footage_export SET state = 'refused', ended_by = $2, ended_ns = $3, refusal = $4
WHERE export_id = $1 AND state = 'approval' AND staff_id <> $2
  AND NOT EXISTS (SELECT FROM staff_in_one_hand($2, $3) AS hand (staff_id) WHERE hand.staff_id = footage_export.staff_id)
RETURNING export_id

-- name: export_cancel
-- $1 export, $2 who, $3 now. No row: it does not wait any more, or another person asked for it.
UPDATE footage_export SET state = 'cancelled', ended_by = $2, ended_ns = $3
WHERE export_id = $1 AND state = 'approval' AND staff_id = $2 RETURNING export_id

-- name: export_lapse
-- $1 export, $2 now, $3 how much footage there is now. No row: it does not wait any more, or all that it had is there. A
-- second is what a recorder that takes a camera over may shift the seam of two segments by.
UPDATE footage_export SET state = 'lapsed', ended_ns = $2
WHERE export_id = $1 AND state = 'approval' AND footage_ns > $3::bigint + 1000000000 RETURNING export_id

-- name: export_arrived
-- $1 export, $2 how much footage there is now: more than before, when a recorder has delivered what was on its way.
UPDATE footage_export SET footage_ns = $2 WHERE export_id = $1 AND state = 'approval' AND footage_ns < $2 RETURNING export_id

-- name: export_lock
-- $1 export. Held until the transaction ends: what is read of its footage from here on is no older than what is known of it.
SELECT FROM footage_export WHERE export_id = $1 AND state = 'approval' FOR UPDATE

-- name: export_footage
-- $1 cameras, [$2, $3) the span. How many nanoseconds of live footage these cameras have, each counted by itself; what several
-- segments show is counted once.
SELECT coalesce(sum(upper(run) - lower(run)), 0)::bigint FROM (
    SELECT unnest(range_agg(int8range(greatest(start_ns, $2::bigint), least(end_ns, $3::bigint)))) AS run
    FROM segment
    WHERE camera_id = ANY ($1::uuid[]) AND state = 'live'
      AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
    GROUP BY camera_id) AS runs

-- name: exports_waiting
-- All that wait for a decision, the oldest first; $1 how many at most.
SELECT export_id FROM footage_export WHERE state = 'approval' ORDER BY created_ns LIMIT $1

-- name: exports_waiting_for
-- $1 staff, $2 roles that approve, $3 now. How many wait for this person: of cameras at all of which they have such a role,
-- never their own, nor of an account in one hand with theirs.
SELECT count(*) FROM footage_export x
WHERE x.state = 'approval'
  AND NOT EXISTS (SELECT FROM staff_in_one_hand($1, $3) AS hand (staff_id) WHERE hand.staff_id = x.staff_id)
  AND NOT EXISTS (
      SELECT FROM unnest(x.camera_ids) AS each (camera_id) WHERE NOT EXISTS (
          SELECT FROM camera c JOIN staff_grant g ON (g.site_id IS NULL OR g.site_id = c.site_id)
                                                 AND (g.camera_id IS NULL OR g.camera_id = c.camera_id)
          WHERE c.camera_id = each.camera_id AND g.staff_id = $1 AND g.role = ANY ($2::text[])))

-- name: export_history
-- $1 staff, $2 cameras that the person sees, $3 below this step, $4 how many, $5 one export or NULL. Steps of the person's own
-- exports and of those that they decided about, the newest first.
SELECT s.step_id, s.step, s.reason, s.at_ns, w.display_name AS who, x.export_id, x.staff_id, x.camera_ids, x.start_ns, x.end_ns
FROM export_step s JOIN footage_export x USING (export_id) LEFT JOIN staff w ON w.staff_id = s.staff_id
WHERE s.step_id < $3 AND ($5::uuid IS NULL OR x.export_id = $5)
  AND (x.staff_id = $1 OR x.camera_ids <@ $2::uuid[]
       AND ($5 IS NOT NULL OR EXISTS (SELECT FROM export_step mine WHERE mine.export_id = x.export_id AND mine.staff_id = $1)))
ORDER BY s.step_id DESC LIMIT $4

-- name: preview_purpose
-- $1 session, $2 export. What this session has stated in order to decide about it.
SELECT purpose_id FROM purpose WHERE session_id = $1 AND export_id = $2

-- name: preview_purpose_add
-- $1 id, $2 session, $3 export, $4 now. Its reason is that of the export.
INSERT INTO purpose (purpose_id, session_id, category, reason, stated_ns, export_id)
SELECT $1, $2, 'approval', p.reason, $4, x.export_id
FROM footage_export x JOIN purpose p USING (purpose_id) WHERE x.export_id = $3

-- name: preview_may
-- $1 session, $2 purpose, $3 export, $4 camera, [$5, $6) the span, $7 now. The custodian asks the same.
SELECT EXISTS (SELECT FROM purpose WHERE purpose_id = $2 AND session_id = $1 AND export_id = $3)
   AND staff_may_preview($1, $3, $4, $5, $6, $7)

-- name: preview_people
-- $1 cameras, [$2, $3) the span, $4 how many. The members whose credentials were used at a door of one of the cameras, as in
-- minors_seen: minors first, then by time.
SELECT e.member_id, i.number, i.name, p.minor, count(*) AS passages, min(e.occurred_ns) AS first_ns
FROM access_event e JOIN member p USING (member_id) LEFT JOIN member_identity i USING (member_id)
WHERE e.event_id IN (
    SELECT e.event_id FROM door_camera m
    JOIN access_event e ON e.door_id = m.door_id AND m.valid_from_ns <= e.occurred_ns AND e.occurred_ns < m.valid_to_ns
    WHERE m.camera_id = ANY ($1::uuid[]) AND e.superseded_by IS NULL
      AND e.occurred_ns > $2::bigint - m.after_ns AND e.occurred_ns < $3::bigint + m.before_ns)
GROUP BY e.member_id, i.number, i.name, p.minor ORDER BY p.minor DESC, first_ns, e.member_id LIMIT $4

-- name: preview_unseen
-- $1 export, $2 staff. Its cameras with footage that this person has not looked at in order to decide about it.
SELECT each.camera_id FROM footage_export x, unnest(x.camera_ids) AS each (camera_id)
WHERE x.export_id = $1
  AND EXISTS (SELECT FROM segment s WHERE s.camera_id = each.camera_id AND s.state = 'live'
              AND s.start_ns > x.start_ns - 120000000000 AND s.start_ns < x.end_ns AND s.end_ns > x.start_ns)
  AND NOT EXISTS (SELECT FROM purpose p JOIN staff_session t USING (session_id) JOIN audit_entry a USING (purpose_id)
                  WHERE p.export_id = x.export_id AND t.staff_id = $2 AND a.action = 'look' AND a.camera_id = each.camera_id)
