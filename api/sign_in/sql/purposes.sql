-- name: purpose_add
INSERT INTO purpose (purpose_id, session_id, category, reason, stated_ns) VALUES ($1, $2, $3, $4, $5)

-- name: purpose_latest
SELECT purpose_id, category, reason, stated_ns FROM purpose WHERE session_id = $1 ORDER BY stated_ns DESC LIMIT 1

-- name: purpose_known
SELECT true FROM purpose WHERE purpose_id = $1 AND session_id = $2
