INSERT INTO purpose (purpose_id, session_id, category, reason, stated_ns) VALUES ($1, $2, $3, $4, $5)
