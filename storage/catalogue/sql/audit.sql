-- name: audit_append
-- at_ns, actor, action, session, purpose, member, camera, start_ns, end_ns, detail. Whatever the server's default is: this
-- transaction's commit waits for the disk. In one statement, so that a look waits for one answer, not for four.
WITH durable AS MATERIALIZED (SELECT set_config('synchronous_commit', 'on', true))
SELECT audit_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb) FROM durable
