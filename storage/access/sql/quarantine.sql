-- name: quarantined
-- $1 how many, ($2, $3) the cursor or NULL, $4 without the replayed ones
SELECT quarantine_id, received_ns, topic, reason, seen_count, length(sealed_payload) AS size_bytes, replayed_ns
FROM quarantine
WHERE ($2::bigint IS NULL OR (received_ns, quarantine_id) < ($2, $3::uuid)) AND (NOT $4 OR replayed_ns IS NULL)
ORDER BY received_ns DESC, quarantine_id DESC
LIMIT $1
