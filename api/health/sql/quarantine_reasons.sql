SELECT reason, count(*) AS messages, sum(seen_count)::bigint AS seen FROM quarantine WHERE replayed_ns IS NULL
GROUP BY reason ORDER BY messages DESC, reason
