SELECT purpose_id, category, reason, stated_ns FROM purpose WHERE session_id = $1 ORDER BY stated_ns DESC LIMIT 1
