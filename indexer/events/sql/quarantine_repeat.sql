-- Seen again: counted. One that was replayed has no payload any more and is put away anew.
-- Rows are locked in order, so that indexers side by side do not wait for one another in a circle.
WITH again AS (
    SELECT q.digest, seen.times FROM unnest($1::bytea[], $2::int[]) AS seen (digest, times)
    JOIN quarantine q USING (digest)
    WHERE q.replayed_ns IS NULL
    ORDER BY q.digest
    FOR UPDATE OF q)
UPDATE quarantine SET seen_count = seen_count + again.times FROM again
WHERE quarantine.digest = again.digest
RETURNING quarantine.digest
