-- Per event that occurred since $1: milliseconds until its last tag was committed, and until it was received.
SELECT extract(epoch FROM max(pg_xact_commit_timestamp(tag.xmin))) * 1e3 - e.occurred_ns / 1e6 AS tagged_ms,
       (e.received_ns - e.occurred_ns) / 1e6 AS received_ms
FROM access_event e JOIN tag USING (event_id)
WHERE e.occurred_ns >= $1::bigint
GROUP BY e.event_id
