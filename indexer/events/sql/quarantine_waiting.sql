-- ($1, $2) the cursor or NULL, $3 these only, or NULL
SELECT quarantine_id, received_ns, sealed_payload FROM quarantine
WHERE replayed_ns IS NULL AND ($1::bigint IS NULL OR (received_ns, quarantine_id) > ($1, $2::uuid))
  AND ($3::uuid[] IS NULL OR quarantine_id = ANY ($3))
ORDER BY received_ns, quarantine_id
LIMIT 100
