-- $1 ids, $2 received_ns, $3 topics, $4 reasons, $5 sealed payloads, $6 digests, $7 how often seen; sorted by digest.
INSERT INTO quarantine (quarantine_id, received_ns, topic, reason, sealed_payload, digest, seen_count)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::int[])
ON CONFLICT (digest) DO UPDATE
SET seen_count = quarantine.seen_count + excluded.seen_count, sealed_payload = excluded.sealed_payload,
    reason = excluded.reason, replayed_ns = NULL
