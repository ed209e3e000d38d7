-- name: set_gone
-- $1 segment, $2 its start. The state it had; nothing when it is live or shadow no more.
UPDATE segment SET state = 'gone'
FROM (SELECT state AS before FROM segment WHERE segment_id = $1 AND start_ns = $2 FOR UPDATE) AS was
WHERE segment_id = $1 AND start_ns = $2 AND was.before IN ('live', 'shadow')
RETURNING was.before

-- name: tell_indexer
INSERT INTO outbox (kind, ref) VALUES ('segment', $1)

-- name: gaps_take
-- $1 camera, [$2, $3): gaps that overlap footage. The parts outside the footage are inserted again.
DELETE FROM gap
WHERE camera_id = $1 AND start_ns >= $2::bigint - 86400000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint
RETURNING camera_id, start_ns, end_ns, cause, detail
