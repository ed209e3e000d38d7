-- Taken by deleting: committed with the tags, or back again.
DELETE FROM outbox WHERE outbox_id IN (
    SELECT outbox_id FROM outbox ORDER BY outbox_id LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING kind, ref
