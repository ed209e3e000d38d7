-- name: lock_tables
-- The statement that keeps every writer of ours out. By the server, which quotes.
SELECT format('LOCK TABLE %s IN SHARE MODE', string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY c.relname))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'tallenne' AND c.relkind IN ('r', 'p') AND NOT c.relispartition

-- name: count_tables
-- A statement for each table: how many rows, and the sum of their hashes, which knows no order.
SELECT c.relname AS name,
       format('SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text AS hash FROM %I.%I t',
              n.nspname, c.relname) AS statement
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'tallenne' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname

-- name: as_of
-- $1 snapshot: the statement by which another transaction sees the same
SELECT format('SET TRANSACTION SNAPSHOT %L', $1::text)

-- name: over
-- $1 hours of expiry that still have a key, $2 at most how many. Footage that has ended since, and that nothing holds.
SELECT s.header FROM segment s JOIN hour_key k USING (hour_key_id)
WHERE s.state = 'live' AND NOT k.expires_hour_ns = ANY ($1::bigint[])
  AND NOT EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = s.segment_id)
LIMIT $2
