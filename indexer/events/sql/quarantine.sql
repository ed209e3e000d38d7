-- name: quarantine_count
-- $1 how many replayed messages do not count: they need no action and expire with the retention.
SELECT count(*) FILTER (WHERE replayed_ns IS NULL)
     + greatest(0, count(*) FILTER (WHERE replayed_ns IS NOT NULL) - $1::bigint) AS counted,
       count(*) FILTER (WHERE replayed_ns IS NULL) AS waiting
FROM quarantine

-- name: quarantine_repeat
-- $1 digests, $2 how often each was seen again. A replayed message has no payload any more: it is left out here, and added
-- anew. Rows are locked in the order of their digests, so that two indexers cannot deadlock.
WITH again AS (
    SELECT q.digest, seen.times FROM unnest($1::bytea[], $2::int[]) AS seen (digest, times)
    JOIN quarantine q USING (digest)
    WHERE q.replayed_ns IS NULL
    ORDER BY q.digest
    FOR UPDATE OF q)
UPDATE quarantine SET seen_count = seen_count + again.times FROM again
WHERE quarantine.digest = again.digest
RETURNING quarantine.digest

-- name: quarantine_add
-- $1 ids, $2 received_ns, $3 topics, $4 reasons, $5 sealed payloads, $6 digests, $7 how often seen; sorted by digest.
INSERT INTO quarantine (quarantine_id, received_ns, topic, reason, sealed_payload, digest, seen_count)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::int[])
ON CONFLICT (digest) DO UPDATE
SET seen_count = quarantine.seen_count + excluded.seen_count, sealed_payload = excluded.sealed_payload,
    reason = excluded.reason, replayed_ns = NULL

-- name: quarantine_expire
DELETE FROM quarantine WHERE received_ns < $1

-- name: quarantine_waiting
-- ($1, $2) the cursor or NULL, $3 these ids only, or NULL. Oldest first: replayed events keep their order.
SELECT quarantine_id, received_ns, sealed_payload FROM quarantine
WHERE replayed_ns IS NULL AND ($1::bigint IS NULL OR (received_ns, quarantine_id) > ($1, $2::uuid))
  AND ($3::uuid[] IS NULL OR quarantine_id = ANY ($3))
ORDER BY received_ns, quarantine_id
LIMIT 100
