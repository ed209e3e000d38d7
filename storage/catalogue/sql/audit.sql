-- name: audit_append
-- $1 at_ns, $2 actor, $3 action, $4 session, $5 purpose, $6 member, $7 camera, $8 start_ns, $9 end_ns, $10 detail. The
-- transaction's commit waits for the disk, whatever the server's default is (invariant 5). One statement, so that a look
-- waits for one round trip and not for four; MATERIALIZED, so that the setting comes before the append.
WITH durable AS MATERIALIZED (SELECT set_config('synchronous_commit', 'on', true))
SELECT audit_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb) FROM durable
