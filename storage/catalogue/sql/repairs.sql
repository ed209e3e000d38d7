-- name: set_gone
-- $1 segment, $2 its start. The state it had; nothing when it is live or shadow no more.
UPDATE segment SET state = 'gone'
FROM (SELECT state AS before FROM segment WHERE segment_id = $1 AND start_ns = $2 FOR UPDATE) AS was
WHERE segment_id = $1 AND start_ns = $2 AND was.before IN ('live', 'shadow')
RETURNING was.before

-- name: tell_indexer
INSERT INTO outbox (kind, ref) VALUES ('segment', $1)
