-- Segments, gaps, recorders. Partitioned by the UTC day of start_ns; segment_identity keeps ids unique across days.
SET search_path = tallenne;

CREATE TABLE recorder (
    recorder_id uuid PRIMARY KEY,
    name text NOT NULL,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    enrolled_ns bigint NOT NULL,
    revoked_ns bigint
);

CREATE TABLE segment_identity (
    segment_id uuid PRIMARY KEY,
    start_ns bigint NOT NULL                -- names the partition
);

CREATE TABLE segment (
    segment_id uuid NOT NULL,
    site_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    recorder_id uuid NOT NULL,
    hour_key_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes >= 378),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    header bytea NOT NULL CHECK (length(header) = 210),
    codec text NOT NULL,                    -- "h264", "h265"
    mime text NOT NULL,                     -- RFC 6381
    width int NOT NULL,
    height int NOT NULL,
    init_size int NOT NULL,
    frames int NOT NULL,
    recovered boolean NOT NULL,
    epoch bigint NOT NULL DEFAULT 1,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'shadow', 'expiring', 'gone')),
    -- FragmentIndex of domain/footage.py; all NULL after a rebuild from the bucket alone
    fragment_start_ms int[],
    fragment_offset int[],
    fragment_size int[],
    fragment_key boolean[],
    committed_ns bigint NOT NULL,
    PRIMARY KEY (start_ns, segment_id),
    -- domain.footage.SEGMENT_MAX_NS: overlap searches look back by it
    CHECK (end_ns > start_ns AND end_ns - start_ns <= 120000000000)
) PARTITION BY RANGE (start_ns);

CREATE INDEX segment_camera_time ON segment (camera_id, start_ns) WHERE state = 'live';

CREATE TABLE gap (
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    cause text NOT NULL,
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (camera_id, start_ns, end_ns, cause),
    CHECK (start_ns < end_ns)
);
CREATE INDEX gap_end ON gap (camera_id, end_ns);

-- Objects that failed verification (forged, truncated, unsigned): listed, never played.
CREATE TABLE object_quarantine (
    object_name text PRIMARY KEY,
    found_ns bigint NOT NULL,
    reason text NOT NULL
);

-- What the indexer still has to join. A row is written in the transaction that commits the segment or the event,
-- and taken in a later one (invariant 4).
CREATE TABLE outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('segment', 'event')),
    ref uuid NOT NULL
);

GRANT SELECT ON recorder TO tallenne_ingest, tallenne_custodian, tallenne_serve;
GRANT INSERT, UPDATE ON recorder TO tallenne_custodian;
GRANT SELECT ON segment, segment_identity, gap TO tallenne_ingest, tallenne_index, tallenne_custodian, tallenne_serve;
GRANT INSERT, UPDATE ON segment TO tallenne_ingest;
GRANT INSERT ON segment_identity, gap TO tallenne_ingest;
GRANT SELECT, INSERT ON object_quarantine TO tallenne_ingest;
GRANT SELECT ON object_quarantine TO tallenne_serve;
GRANT INSERT ON outbox TO tallenne_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO tallenne_index;

-- Partitions are made on demand by whoever commits the first segment of a day; only the owner may create tables.
CREATE FUNCTION ensure_segment_day(day_ns bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    first bigint := day_ns - day_ns % 86400000000000;
    name text := 'segment_' || to_char(to_timestamp(first / 1000000000) AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    IF to_regclass('tallenne.' || name) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(name, 0));
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF segment FOR VALUES FROM (%s) TO (%s)',
                       name, first, first + 86400000000000);
    END IF;
END $$;
REVOKE ALL ON FUNCTION ensure_segment_day(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_segment_day(bigint) TO tallenne_ingest;
