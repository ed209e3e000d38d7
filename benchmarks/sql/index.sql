-- name: members_generate
-- $1 members with a credential each.
WITH made AS (
    INSERT INTO member (member_id, created_ns)
    SELECT md5('member' || n)::uuid, 0 FROM generate_series(1, $1::int) AS n
    RETURNING member_id)
INSERT INTO credential (credential, member_id, valid_from_ns)
SELECT upper(md5(member_id::text)), member_id, 0 FROM made
RETURNING credential

-- name: index_throughput
-- Of what was received since $1: from the first message's arrival to the last tag's commit. Needs track_commit_timestamp.
SELECT (SELECT count(*) FROM access_event WHERE received_ns >= $1::bigint) AS events,
       (SELECT count(*) FROM tag JOIN access_event USING (event_id) WHERE received_ns >= $1::bigint) AS tags,
       (SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) FROM tag)
       - (SELECT min(received_ns) FROM access_event WHERE received_ns >= $1::bigint) / 1e9 AS seconds

-- name: index_latency
-- Per event that occurred since $1: milliseconds until its last tag was committed, and until it was received.
SELECT extract(epoch FROM max(pg_xact_commit_timestamp(tag.xmin))) * 1e3 - e.occurred_ns / 1e6 AS tagged_ms,
       (e.received_ns - e.occurred_ns) / 1e6 AS received_ms
FROM access_event e JOIN tag USING (event_id)
WHERE e.occurred_ns >= $1::bigint
GROUP BY e.event_id
