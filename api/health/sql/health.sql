-- name: quarantine_reasons
SELECT reason, count(*) AS messages, sum(seen_count)::bigint AS seen FROM quarantine WHERE replayed_ns IS NULL
GROUP BY reason ORDER BY messages DESC, reason

-- name: object_quarantine
SELECT object_name, found_ns, reason FROM object_quarantine ORDER BY found_ns DESC LIMIT 200
