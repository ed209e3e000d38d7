-- name: events_around
-- $1, $2 a span: the last event that was received before it, how many within it, the first behind it.
SELECT max(received_ns) FILTER (WHERE received_ns < $1) AS before_ns,
       count(*) FILTER (WHERE received_ns >= $1 AND received_ns < $2) AS within,
       min(received_ns) FILTER (WHERE received_ns >= $2) AS after_ns
FROM access_event
