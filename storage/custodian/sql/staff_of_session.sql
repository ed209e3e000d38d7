-- $1 session, $2 purpose. No row unless the purpose was stated in this session.
SELECT s.staff_id FROM staff_session s JOIN purpose p USING (session_id) WHERE s.session_id = $1 AND p.purpose_id = $2
