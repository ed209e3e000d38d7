-- The payload is no longer needed: it goes, the row and its digest stay.
UPDATE quarantine SET replayed_ns = $2, sealed_payload = '' WHERE quarantine_id = $1
