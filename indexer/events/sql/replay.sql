-- name: quarantine_replayed
-- The payload is no longer needed and is removed; the row stays, so that its digest still recognizes a repeat.
UPDATE quarantine SET replayed_ns = $2, sealed_payload = ''
WHERE quarantine_id = $1 AND replayed_ns IS NULL RETURNING true

-- name: quarantine_reason
UPDATE quarantine SET reason = $2 WHERE quarantine_id = $1 AND replayed_ns IS NULL RETURNING true
