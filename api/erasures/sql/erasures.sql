-- name: erasure_list
-- $1 cameras in the person's sight, $2 staff, $3 how many, $4 one order, or NULL. Those that wait first, then the newest. An
-- order is in sight when all of its cameras are, or when it is the person's own (<@: contained in).
SELECT e.erasure_id, e.state, e.reason, e.member_id IS NOT NULL AS of_member, e.camera_ids, e.start_ns, e.end_ns,
       e.asked_by, e.asked_ns, e.decided_ns, e.done_ns,
       coalesce(a.display_name, '–') AS asker, d.display_name AS decider
FROM erasure e LEFT JOIN staff a ON a.staff_id = e.asked_by LEFT JOIN staff d ON d.staff_id = e.decided_by
WHERE (e.asked_by = $2 OR e.camera_ids <@ $1::uuid[]) AND ($4::uuid IS NULL OR e.erasure_id = $4)
ORDER BY e.state = 'asked' DESC, e.asked_ns DESC, e.erasure_id LIMIT $3

-- name: erasure_would_take
-- $1 cameras, [$2, $3) spans: the segments that would go, and their bytes.
SELECT count(*) AS segments, coalesce(sum(size_bytes), 0)::bigint AS size_bytes FROM erasable($1, $2, $3)

-- name: erasure_took
-- $1 erasure.
SELECT count(*) AS segments, coalesce(sum(size_bytes), 0)::bigint AS size_bytes FROM erased_segment WHERE erasure_id = $1

-- name: erasure_blocks
-- $1 cameras, [$2, $3) spans.
SELECT DISTINCT case_id, number, reason, kind FROM erasure_blocks($1, $2, $3) ORDER BY number, kind
