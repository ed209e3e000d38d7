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

-- end_ns and segment_id are in it, so that overlaps are found without a look at the rows.
CREATE INDEX segment_camera_time ON segment (camera_id, start_ns, end_ns) INCLUDE (segment_id) WHERE state = 'live';

-- At most a day long (a longer one is stored in pieces), so that overlap searches look back by a day.
CREATE TABLE gap (
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    cause text NOT NULL,
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (camera_id, start_ns, end_ns, cause),
    CHECK (end_ns > start_ns AND end_ns - start_ns <= 86400000000000)
);

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
GRANT INSERT ON gap TO tallenne_ingest;
GRANT SELECT, INSERT ON object_quarantine TO tallenne_ingest;
GRANT SELECT ON object_quarantine TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO tallenne_index;

-- A day's partition is made by whoever commits the first segment of that day; only the owner may create tables.
-- Made apart and then attached: attaching takes a lock that lets readers and writers of the other days go on.
CREATE FUNCTION ensure_segment_day(day_ns bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    first bigint := day_ns - day_ns % 86400000000000;
    past bigint := first + 86400000000000;
    name text := 'segment_' || to_char(to_timestamp(first / 1000000000) AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(name, 0));
    IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE %I (LIKE segment INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE segment ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, first, past);
END $$;

-- The only way to add a segment. Ingest can add rows and cannot change one, whatever becomes of the recorder.
-- Returns 'live', 'shadow' (it overlaps live footage of the same or a higher epoch) or 'duplicate' (the same segment,
-- known already). Raises TN001 when the id is known with other contents.
CREATE FUNCTION commit_segment(
    p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid,
    p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea,
    p_codec text, p_mime text, p_width int, p_height int, p_init_size int, p_frames int, p_recovered boolean,
    p_epoch bigint, p_fragment_start_ms int[], p_fragment_offset int[], p_fragment_size int[],
    p_fragment_key boolean[], p_committed_ns bigint
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    known_start_ns bigint;
    same boolean;
    best_epoch bigint;
    new_state text := 'live';
BEGIN
    -- One committer per camera at a time: the overlap check below sees everything committed before it.
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || p_camera_id, 0));
    SELECT start_ns INTO known_start_ns FROM segment_identity WHERE segment_id = p_segment_id;
    IF FOUND THEN
        SELECT sha256 = p_sha256 AND size_bytes = p_size_bytes AND camera_id = p_camera_id INTO same
        FROM segment WHERE start_ns = known_start_ns AND segment_id = p_segment_id;
        IF same IS NOT TRUE THEN
            RAISE EXCEPTION 'segment known with other contents' USING ERRCODE = 'TN001';
        END IF;
        RETURN 'duplicate';
    END IF;
    SELECT max(epoch) INTO best_epoch FROM segment
    WHERE camera_id = p_camera_id AND state = 'live'
      AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns;
    IF best_epoch >= p_epoch THEN
        new_state := 'shadow';
    ELSIF best_epoch IS NOT NULL THEN
        WITH loser AS (
            UPDATE segment SET state = 'shadow'
            WHERE camera_id = p_camera_id AND state = 'live'
              AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns
            RETURNING segment_id)
        INSERT INTO outbox (kind, ref) SELECT 'segment', segment_id FROM loser;
    END IF;
    INSERT INTO segment_identity (segment_id, start_ns) VALUES (p_segment_id, p_start_ns);
    INSERT INTO segment VALUES (
        p_segment_id, p_site_id, p_camera_id, p_recorder_id, p_hour_key_id, p_start_ns, p_end_ns, p_size_bytes,
        p_sha256, p_header, p_codec, p_mime, p_width, p_height, p_init_size, p_frames, p_recovered, p_epoch, new_state,
        p_fragment_start_ms, p_fragment_offset, p_fragment_size, p_fragment_key, p_committed_ns);
    IF new_state = 'live' THEN
        INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
    END IF;
    RETURN new_state;
END $$;

REVOKE ALL ON FUNCTION ensure_segment_day, commit_segment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_segment_day, commit_segment TO tallenne_ingest;
