UPDATE staff_session SET stepped_up_ns = $2 WHERE session_id = $1
