-- $1 session, $2 purpose, $3 action, $4 camera, $5 now. Who asks, and whether they may; no row unless the purpose was stated
-- in this session.
SELECT s.staff_id, staff_may($1, $3, $4, $5) AS may
FROM staff_session s JOIN purpose p USING (session_id) WHERE s.session_id = $1 AND p.purpose_id = $2
