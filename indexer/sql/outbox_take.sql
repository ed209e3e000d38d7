-- Taken by deleting: committed with the tags, or back again. By their place in the table, which no statistics can
-- mislead: the outbox is empty most of the time, and joined to itself on that assumption it took a second a batch.
-- Nothing updates a row, and these are locked: the place holds.
DELETE FROM outbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM outbox ORDER BY outbox_id LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING kind, ref
