-- name: throttle_count
-- $1 key, $2 now, $3 forget after. Counts one failure more, unless the key is blocked, and returns the row as it then
-- is. One statement, before the password is checked: guesses sent at once cannot all read the same count.
INSERT INTO sign_in_throttle AS t (throttle_key, failures, last_ns, blocked_until_ns) VALUES ($1, 1, $2, 0)
ON CONFLICT (throttle_key) DO UPDATE SET
    failures = CASE WHEN t.blocked_until_ns > $2 THEN t.failures
                    WHEN $2 - t.last_ns > $3::bigint THEN 1 ELSE t.failures + 1 END,
    last_ns = CASE WHEN t.blocked_until_ns > $2 THEN t.last_ns ELSE $2 END
RETURNING failures, blocked_until_ns

-- name: throttle_block
UPDATE sign_in_throttle SET blocked_until_ns = $2 WHERE throttle_key = $1

-- name: throttle_forget
DELETE FROM sign_in_throttle WHERE throttle_key = $1

-- name: throttle_take_back
-- The attempt was right: `throttle_count` had counted it in advance.
UPDATE sign_in_throttle SET failures = greatest(failures - 1, 0), blocked_until_ns = 0 WHERE throttle_key = $1
