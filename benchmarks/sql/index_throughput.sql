-- From the first message's arrival to the last tag's commit. Needs track_commit_timestamp.
SELECT (SELECT count(*) FROM access_event) AS events,
       (SELECT count(*) FROM tag) AS tags,
       (SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) FROM tag)
       - (SELECT min(received_ns) FROM access_event) / 1e9 AS seconds,
       (SELECT count(*) FROM outbox) AS waiting
