-- name: keys_to_keep
-- Living keys that the journal must hold: those whose records the custodian has written, by its own account.
SELECT 'hour_key' AS kind, hour_key_id AS key_id, public_key, sealed_private, expires_hour_ns AS at_ns FROM hour_key
WHERE state <> 'dead' AND NOT EXISTS (
    SELECT FROM journal_outbox o WHERE o.kind = 'hour_key' AND o.entry ->> 'hour_key_id' = hour_key.hour_key_id::text)
UNION ALL
SELECT 'hold', hold_id, public_key, sealed_private, placed_ns FROM hold
WHERE ended_ns IS NULL AND NOT EXISTS (
    SELECT FROM journal_outbox o WHERE o.kind = 'hold' AND o.entry ->> 'hold_id' = hold.hold_id::text)

-- name: write_again_hour_key
-- $1 ids. As journal_rows() does.
INSERT INTO journal_outbox (kind, at_ns, entry)
SELECT 'hour_key', expires_hour_ns, to_jsonb(k) || jsonb_build_object('noted_ns', (extract(epoch FROM clock_timestamp()) * 1e9)::bigint)
FROM hour_key k WHERE hour_key_id = ANY ($1::uuid[])

-- name: write_again_hold
INSERT INTO journal_outbox (kind, at_ns, entry)
SELECT 'hold', placed_ns, to_jsonb(h) || jsonb_build_object('noted_ns', (extract(epoch FROM clock_timestamp()) * 1e9)::bigint)
FROM hold h WHERE hold_id = ANY ($1::uuid[])
