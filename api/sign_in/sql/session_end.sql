UPDATE staff_session SET ended_ns = $2 WHERE token_hash = $1 AND ended_ns IS NULL
