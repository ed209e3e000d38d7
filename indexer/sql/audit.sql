-- name: on_record
-- $1 at_ns, $2 actor, $3 action, $4 member or NULL, $5 detail
SELECT audit_append($1, $2, $3, NULL, NULL, $4, NULL, NULL, NULL, $5::text::jsonb)
