UPDATE staff_session SET seen_ns = greatest(seen_ns, $2) WHERE session_id = $1
