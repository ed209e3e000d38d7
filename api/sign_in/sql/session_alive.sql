-- $1 a session: whether nobody has ended it, or taken the person's account away
SELECT EXISTS (
    SELECT FROM staff_session JOIN staff USING (staff_id)
    WHERE session_id = $1 AND ended_ns IS NULL AND disabled_ns IS NULL)
