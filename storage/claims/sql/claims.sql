-- name: claims
-- In the order of the commits, $1 at most. Without columns of the segment: its row is gone. Only the custodian
-- writes wrap records.
SELECT c.segment_id AS claimed_id, s.*, EXISTS (
    SELECT FROM wrap_record w WHERE w.segment_id = s.segment_id AND w.hour_key_id = s.hour_key_id) AS rewrapped
FROM segment_claim c
LEFT JOIN segment s ON s.start_ns = c.start_ns AND s.segment_id = c.segment_id
ORDER BY c.claim_id LIMIT $1
