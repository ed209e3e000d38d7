-- $1 so many that are replayed cost nothing: they wait for nobody, and go with the retention
SELECT count(*) FILTER (WHERE replayed_ns IS NULL)
     + greatest(0, count(*) FILTER (WHERE replayed_ns IS NOT NULL) - $1::bigint)
FROM quarantine
