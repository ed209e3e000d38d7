-- Two recorders that commit the first segments of a day at once. to_regclass() remembers, across the wait for the lock,
-- that the day's table was not there: the second one failed with "already exists"; a query sees it. And whoever saw the
-- table before its maker's caches were told found no partition: hence the lock comes first. Called once per process and day.
SET search_path = tallenne;

CREATE OR REPLACE FUNCTION ensure_segment_day(day_ns bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    first bigint := day_ns - day_ns % 86400000000000;
    past bigint := first + 86400000000000;
    name text := 'segment_' || to_char(to_timestamp(first / 1000000000) AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(name, 0));
    IF EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'tallenne'::regnamespace) THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE %I (LIKE segment INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE segment ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, first, past);
END $$;
