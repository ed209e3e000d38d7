-- at_ns, actor, action, session, purpose, member, camera, start_ns, end_ns, detail
SELECT audit_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb)
