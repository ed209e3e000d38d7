-- name: journal_waiting
-- $1 how many at most. Those of one kind and hour come together, the nearest hours first.
SELECT entry_id, kind, at_ns, entry::text AS entry FROM journal_outbox ORDER BY at_ns, kind, entry_id LIMIT $1

-- name: journal_written
DELETE FROM journal_outbox WHERE entry_id = ANY ($1::bigint[])
