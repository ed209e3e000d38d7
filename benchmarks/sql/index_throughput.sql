-- Of what was received since $1: from the first message's arrival to the last tag's commit. Needs track_commit_timestamp.
SELECT (SELECT count(*) FROM access_event WHERE received_ns >= $1::bigint) AS events,
       (SELECT count(*) FROM tag JOIN access_event USING (event_id) WHERE received_ns >= $1::bigint) AS tags,
       (SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) FROM tag)
       - (SELECT min(received_ns) FROM access_event WHERE received_ns >= $1::bigint) / 1e9 AS seconds
