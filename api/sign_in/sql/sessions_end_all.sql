UPDATE staff_session SET ended_ns = $2 WHERE staff_id = $1 AND ended_ns IS NULL
