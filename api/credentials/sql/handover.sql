-- name: handover_add
-- $1 staff, $2 the administrator, $3 kind, $4 now
INSERT INTO staff_handover (staff_id, by_staff_id, kind, at_ns) VALUES ($1, $2, $3, $4)

-- name: handover_count
-- $1 since. How many accounts.
SELECT count(DISTINCT staff_id) FROM staff_handover WHERE at_ns > $1

-- name: handover_hand
-- $1 staff, $2 now
SELECT staff_in_one_hand($1, $2) AS staff_id
