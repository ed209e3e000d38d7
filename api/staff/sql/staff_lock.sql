-- One administrative change at a time: the last administrator is counted below this lock.
SELECT pg_advisory_xact_lock(7411222002)
