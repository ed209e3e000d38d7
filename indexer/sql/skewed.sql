-- The doors whose clocks are off by more than $1, the worst first.
SELECT door.name, skew.skew_ns FROM controller_skew skew JOIN door USING (door_id)
WHERE abs(skew.skew_ns) > $1::bigint AND door.removed_ns IS NULL
ORDER BY abs(skew.skew_ns) DESC, door.name
LIMIT 3
