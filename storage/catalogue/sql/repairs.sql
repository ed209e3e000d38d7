-- name: set_gone
-- $1 segment, $2 its start. Returns the state before; no row when it is neither live nor shadow any more.
-- RETURNING would show the new state, so the old one is read, and locked, first.
UPDATE segment SET state = 'gone'
FROM (SELECT state AS before FROM segment WHERE segment_id = $1 AND start_ns = $2 FOR UPDATE) AS was
WHERE segment_id = $1 AND start_ns = $2 AND was.before IN ('live', 'shadow')
RETURNING was.before

-- name: tell_indexer
INSERT INTO outbox (kind, ref) VALUES ('segment', $1)

-- name: epoch_at
-- $1 camera, $2 recorder, $3 time: the epoch that the recorder had begun by then, else its first one.
SELECT coalesce(
    (SELECT max(epoch) FROM footage_epoch WHERE camera_id = $1 AND recorder_id = $2 AND start_ns <= $3),
    (SELECT min(epoch) FROM footage_epoch WHERE camera_id = $1 AND recorder_id = $2), 1)
