-- name: purpose_add
INSERT INTO purpose (purpose_id, session_id, category, reason, stated_ns) VALUES ($1, $2, $3, $4, $5)

-- name: purpose_latest
-- $1 session. One with an export serves to decide about that, and for nothing else; so below.
SELECT purpose_id, category, reason, stated_ns FROM purpose WHERE session_id = $1 AND export_id IS NULL ORDER BY stated_ns DESC LIMIT 1

-- name: purpose_known
SELECT true FROM purpose WHERE purpose_id = $1 AND session_id = $2 AND export_id IS NULL
