-- name: quarantine_replayed
-- The payload is no longer needed: it goes, the row and its digest stay.
UPDATE quarantine SET replayed_ns = $2, sealed_payload = '' WHERE quarantine_id = $1

-- name: quarantine_reason
UPDATE quarantine SET reason = $2 WHERE quarantine_id = $1
