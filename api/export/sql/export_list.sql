-- $1 staff, $2 since, $3 cameras that they see, $4 how many. Their own, and what waits for a second person who sees all of it; newest
-- first.
SELECT e.*, p.category, p.reason, u.display_name, a.display_name AS approver
FROM footage_export e JOIN purpose p USING (purpose_id) JOIN staff u ON u.staff_id = e.staff_id
LEFT JOIN staff a ON a.staff_id = e.approved_by
WHERE (e.staff_id = $1 OR (e.state = 'approval' AND e.camera_ids <@ $3::uuid[])) AND e.created_ns > $2::bigint
ORDER BY e.staff_id = $1 DESC, e.created_ns DESC LIMIT $4
