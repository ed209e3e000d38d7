-- == Inventory
-- Sites, cameras, doors and their mapping: a copy of the configuration, kept so that rows can refer to it.
-- Roles are created by the installer (pipeline/) before the first migration:
--   tallenne_ingest, tallenne_index, tallenne_custodian, tallenne_serve, tallenne_keeper. The owner runs the migrations
-- (storage/catalogue/migrate.py, which first creates the schema and the list of applied migrations).
-- Times are bigint, UTC Unix nanoseconds; spans are half-open.

-- Before PostgreSQL 15 every role may create objects in public, which functions could then pick up.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA tallenne
    TO tallenne_ingest, tallenne_index, tallenne_custodian, tallenne_serve, tallenne_keeper;
SET search_path = tallenne;

CREATE TABLE site (
    site_id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    time_zone text NOT NULL
);

CREATE TABLE camera (
    camera_id uuid PRIMARY KEY,
    site_id uuid NOT NULL REFERENCES site,
    name text NOT NULL,
    retention_s bigint NOT NULL CHECK (retention_s > 0),
    removed_ns bigint                       -- set when the configuration no longer names it; footage stays findable
);
-- Unique among those in use: a removed camera keeps its name, and a new one may take the same.
CREATE UNIQUE INDEX camera_name ON camera (site_id, name) WHERE removed_ns IS NULL;

CREATE TABLE door (
    door_id uuid PRIMARY KEY,
    site_id uuid NOT NULL REFERENCES site,
    name text NOT NULL,
    external_id text NOT NULL,              -- what the door system calls it
    removed_ns bigint
);
CREATE UNIQUE INDEX door_name ON door (site_id, name) WHERE removed_ns IS NULL;
CREATE UNIQUE INDEX door_external_id ON door (site_id, external_id) WHERE removed_ns IS NULL;

-- Versioned: a camera moved today does not change yesterday's tags.
CREATE TABLE door_camera (
    door_id uuid NOT NULL REFERENCES door,
    camera_id uuid NOT NULL REFERENCES camera,
    before_ns bigint NOT NULL CHECK (before_ns >= 0),
    after_ns bigint NOT NULL CHECK (after_ns >= 0),
    valid_from_ns bigint NOT NULL,
    -- The largest bigint stands for "still valid": one comparison serves ended mappings and current ones, and an index
    -- can hold both.
    valid_to_ns bigint NOT NULL DEFAULT 9223372036854775807,
    PRIMARY KEY (door_id, camera_id, valid_from_ns),
    CHECK (valid_from_ns < valid_to_ns)
);

CREATE TABLE camera_health (
    camera_id uuid PRIMARY KEY REFERENCES camera,
    updated_ns bigint NOT NULL,
    health jsonb NOT NULL                   -- keys: see ingest/CAMERAS.md, "Health"
);

GRANT SELECT ON schema_migration, site, camera, door, door_camera TO tallenne_ingest, tallenne_index, tallenne_custodian, tallenne_serve;
GRANT SELECT ON schema_migration, site, camera TO tallenne_keeper;
GRANT SELECT, INSERT, UPDATE ON camera_health TO tallenne_ingest;
GRANT SELECT ON camera_health TO tallenne_serve;


-- == Footage
-- Segments, gaps, recorders. Partitioned by the UTC day of start_ns; segment_identity keeps ids unique across days.

CREATE TABLE recorder (
    recorder_id uuid PRIMARY KEY,
    name text NOT NULL,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    enrolled_ns bigint NOT NULL,
    revoked_ns bigint
);

-- A unique index over partitions has to contain the partition key, so segment alone cannot keep ids unique across days.
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
    -- 378: header 210 and trailer 168, the shortest object (sealed-format.md, "Bytes")
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
    -- domain.footage.SegmentState
    state text NOT NULL DEFAULT 'live'
        CHECK (state IN ('live', 'shadow', 'expiring', 'gone', 'contested', 'refused')),
    -- FragmentIndex of domain/footage.py; all NULL after a rebuild from the bucket alone
    fragment_start_ms int[],
    fragment_offset int[],
    fragment_size int[],
    fragment_key boolean[],
    committed_ns bigint NOT NULL,
    -- Of the init's bytes: segments with equal inits share one, and a clip's head needs no segment's first chunk. NULL: the
    -- init is read from the object.
    init_sha256 bytea CHECK (length(init_sha256) = 32),
    -- A copy. Its signature covers the segment's core, so it proves as much here as in the object, and a clip needs one
    -- GET less per segment. NULL: fetched from the object.
    trailer bytea CHECK (length(trailer) = 168),
    -- start_ns first: it is the partition key, and pages of segments are read in this order.
    PRIMARY KEY (start_ns, segment_id),
    -- domain.footage.SEGMENT_MAX_NS: overlap searches look back by it
    CHECK (end_ns > start_ns AND end_ns - start_ns <= 120000000000),
    -- Readers take these as they are.
    CHECK (codec IN ('h264', 'h265') AND length(mime) <= 100 AND init_size >= 0 AND frames >= 0),
    CONSTRAINT segment_fragments CHECK (
        num_nulls(fragment_start_ms, fragment_offset, fragment_size, fragment_key) IN (0, 4)
        AND cardinality(fragment_start_ms) = cardinality(fragment_offset)
        AND cardinality(fragment_start_ms) = cardinality(fragment_size)
        AND cardinality(fragment_start_ms) = cardinality(fragment_key)
        AND coalesce(greatest(array_ndims(fragment_start_ms), array_ndims(fragment_offset), array_ndims(fragment_size),
            array_ndims(fragment_key)), 1) = 1
        AND array_position(fragment_start_ms, NULL) IS NULL AND array_position(fragment_offset, NULL) IS NULL
        AND array_position(fragment_size, NULL) IS NULL AND array_position(fragment_key, NULL) IS NULL)
) PARTITION BY RANGE (start_ns);

-- end_ns and segment_id are in the index, so that an overlap search reads no rows (an index-only scan). Contested rows are
-- in it for the commits' search: there are few, and not for long.
CREATE INDEX segment_camera_time ON segment (camera_id, start_ns, end_ns) INCLUDE (segment_id)
    WHERE state IN ('live', 'contested');

-- For expiry: rows that are not live.
CREATE INDEX segment_camera_other ON segment (camera_id, start_ns) WHERE state <> 'live';

-- A row is at most a day long, and a longer gap is stored in pieces: an overlap search looks back by one day only.
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

-- When each epoch of a recorder and camera began. A recorder starts a new epoch whenever its clock steps. If an epoch
-- began at or after the begin of a higher one, the clock was ahead, and the footage of that epoch has wrong times.
CREATE TABLE footage_epoch (
    camera_id uuid NOT NULL,
    recorder_id uuid NOT NULL,
    epoch bigint NOT NULL,
    start_ns bigint NOT NULL,
    PRIMARY KEY (camera_id, recorder_id, epoch)
);

-- Rows whose trailers the custodian has not verified yet. PostgreSQL cannot check Ed25519: commit_segment() therefore
-- changes nothing that is there already, and settle_segment() does, once a role that can has verified the row.
CREATE TABLE segment_claim (
    claim_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segment_id uuid NOT NULL UNIQUE,
    start_ns bigint NOT NULL                -- names the partition
);

-- Which recorder a camera was given to, one after the other. A recorder's epochs begin with its lease's number, which
-- is given here and not chosen by the writer: epoch = lease * 2^32 + how often its clock was set under this lease.
-- Lease 0, which needs no row, ranks below all.
CREATE TABLE camera_lease (
    camera_id uuid NOT NULL,
    lease bigint NOT NULL CHECK (lease > 0),
    recorder_id uuid NOT NULL,
    granted_ns bigint NOT NULL,
    PRIMARY KEY (camera_id, lease)
);

-- Segments and events that the indexer still has to join. A row is written in the transaction that commits the segment or
-- event, and taken in a later one: then every pair is seen by the later of the two (invariant 4).
CREATE TABLE outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('segment', 'event')),
    ref uuid NOT NULL
);

GRANT SELECT ON recorder TO tallenne_ingest, tallenne_custodian, tallenne_serve;
GRANT INSERT, UPDATE ON recorder TO tallenne_custodian;
GRANT SELECT ON segment, segment_identity, gap TO tallenne_ingest, tallenne_index, tallenne_custodian, tallenne_serve;
GRANT SELECT ON segment_claim TO tallenne_custodian;
GRANT SELECT ON object_quarantine TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO tallenne_index;

-- This server's clock: the time on record does not depend on what another role says.
CREATE FUNCTION now_ns() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000
$$;

-- Creates the partition of a day, if it is missing. Called once per process and day; SECURITY DEFINER, since only the owner
-- may create tables. The table is created first and attached then: ATTACH takes a weaker lock than CREATE ... PARTITION OF,
-- and readers and writers of the other days go on. The advisory lock comes before the look, and the look is a query on
-- pg_class: to_regclass() would answer from a cache that was filled before the wait for the lock.
CREATE FUNCTION ensure_segment_day(day_ns bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    first bigint := day_ns - day_ns % 86400000000000;
    past bigint := first + 86400000000000;
    name text := 'segment_' || to_char(to_timestamp(first / 1000000000) AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    -- Ingest's password must not suffice to fill the database with partitions for future days.
    IF day_ns NOT BETWEEN 0 AND now_ns() + 30 * 86400000000000 THEN
        RAISE EXCEPTION 'no footage is of that day' USING ERRCODE = 'TN004';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(name, 0));
    IF EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'tallenne'::regnamespace) THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE %I (LIKE segment INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE segment ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, first, past);
END $$;

-- Footage replaces gaps: delete the gaps that overlap [p_start_ns, p_end_ns), and put back what of them lies outside.
CREATE FUNCTION cut_gaps(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint) RETURNS void
LANGUAGE sql SET search_path = tallenne, pg_temp AS $$
    WITH taken AS (
        DELETE FROM gap
        WHERE camera_id = p_camera_id
          AND start_ns >= p_start_ns - 86400000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns
        RETURNING *)
    INSERT INTO gap
    SELECT camera_id, lower(piece), upper(piece), cause, detail
    FROM taken CROSS JOIN LATERAL unnest(
        int8multirange(int8range(start_ns, end_ns)) - int8multirange(int8range(p_start_ns, p_end_ns))) AS piece
    ON CONFLICT DO NOTHING
$$;

-- Record as a gap the parts of [p_start_ns, p_end_ns) that neither live footage nor a gap covers.
CREATE FUNCTION fill_gap(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_cause text) RETURNS void
LANGUAGE sql SET search_path = tallenne, pg_temp AS $$
    INSERT INTO gap
    SELECT p_camera_id, lower(piece), upper(piece), p_cause, ''
    -- Multirange arithmetic: the span less the union of all that is known. range_agg() of no rows is NULL.
    FROM (SELECT range_agg(int8range(known.start_ns, known.end_ns)) AS spans FROM (
        SELECT start_ns, end_ns FROM segment
        WHERE camera_id = p_camera_id AND state = 'live'
          AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns
        UNION ALL
        SELECT start_ns, end_ns FROM gap
        WHERE camera_id = p_camera_id
          AND start_ns >= p_start_ns - 86400000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns) known) k
    CROSS JOIN LATERAL unnest(
        int8multirange(int8range(p_start_ns, p_end_ns)) - coalesce(k.spans, int8multirange())) AS piece
    ON CONFLICT DO NOTHING
$$;

-- The only way to add gaps: of each piece what neither live footage nor another gap accounts for. Again: nothing more.
CREATE FUNCTION commit_gaps(
    p_camera_id uuid[], p_start_ns bigint[], p_end_ns bigint[], p_cause text[], p_detail text[]
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    INSERT INTO gap (camera_id, start_ns, end_ns, cause, detail)
    SELECT p.camera_id, lower(piece), upper(piece), p.cause, p.detail
    FROM unnest(p_camera_id, p_start_ns, p_end_ns, p_cause, p_detail)
        WITH ORDINALITY AS p (camera_id, start_ns, end_ns, cause, detail, ordinal)
    CROSS JOIN LATERAL (
        SELECT range_agg(int8range(known.start_ns, known.end_ns)) AS spans FROM (
            SELECT s.start_ns, s.end_ns FROM segment s
            WHERE s.camera_id = p.camera_id AND s.state = 'live'
              AND s.start_ns > p.start_ns - 120000000000 AND s.start_ns < p.end_ns AND s.end_ns > p.start_ns
            UNION ALL
            SELECT g.start_ns, g.end_ns FROM gap g
            WHERE g.camera_id = p.camera_id
              AND g.start_ns >= p.start_ns - 86400000000000 AND g.start_ns < p.end_ns AND g.end_ns > p.start_ns
        ) known
    ) k
    CROSS JOIN LATERAL unnest(
        int8multirange(int8range(p.start_ns, p.end_ns)) - coalesce(k.spans, int8multirange())) AS piece
    ORDER BY p.ordinal, lower(piece)
    ON CONFLICT DO NOTHING
$$;

-- The lease of each camera that this recorder holds, taken if it does not hold the newest. None for a recorder that is
-- not enrolled. Taking one ends no recording: it decides whose footage is shown where two recorders have some.
CREATE FUNCTION take_leases(p_camera_ids uuid[], p_recorder_id uuid) RETURNS TABLE (camera_id uuid, lease bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
#variable_conflict use_column
DECLARE
    wanted uuid;
    newest record;
BEGIN
    IF NOT EXISTS (SELECT FROM recorder WHERE recorder_id = p_recorder_id AND revoked_ns IS NULL) THEN RETURN; END IF;
    FOR wanted IN SELECT c.camera_id FROM camera c WHERE c.camera_id = ANY (p_camera_ids) ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || wanted, 0));
        SELECT l.lease, l.recorder_id INTO newest FROM camera_lease l WHERE l.camera_id = wanted ORDER BY 1 DESC LIMIT 1;
        IF newest.recorder_id IS DISTINCT FROM p_recorder_id THEN
            newest.lease := coalesce(newest.lease, 0) + 1;
            INSERT INTO camera_lease VALUES (wanted, newest.lease, p_recorder_id, now_ns());
        END IF;
        camera_id := wanted;
        lease := newest.lease;
        RETURN NEXT;
    END LOOP;
END $$;

-- The only way to add a segment. Ingest can add rows and change none, whatever becomes of the recorder. Returns
--   'live': nothing was known of its time;
--   'contested': footage or a gap accounts for its time, or some of it. settle_segment() decides;
--   'duplicate': the same segment, known already;
--   'expired': its hour key is dead or its time was erased, and the row only tells the keeper which object to remove.
-- Raises TN001 when the id is known with other contents (TN003 while it may still turn out that those were forged), and
-- TN002 when the recorder does not hold the lease that the epoch names.
CREATE FUNCTION commit_segment(
    p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid,
    p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea,
    p_codec text, p_mime text, p_width int, p_height int, p_init_size int, p_frames int, p_recovered boolean,
    p_epoch bigint, p_fragment_start_ms int[], p_fragment_offset int[], p_fragment_size int[],
    p_fragment_key boolean[], p_init_sha256 bytea, p_trailer bytea
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    known segment;
    new_state text := 'live';
    erased_by uuid;
    key_erased boolean;
BEGIN
    -- One committer per camera at a time: the overlap check below sees everything committed before it.
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || p_camera_id, 0));
    -- Repeatable: a committer whose answer was lost sends the same segment again.
    SELECT s.* INTO known FROM segment_identity i JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
    WHERE i.segment_id = p_segment_id;
    IF FOUND THEN
        IF known.state = 'refused' THEN  -- a forged row must not keep the genuine one out
            DELETE FROM segment WHERE start_ns = known.start_ns AND segment_id = p_segment_id;
            DELETE FROM segment_identity WHERE segment_id = p_segment_id;
        ELSIF known.sha256 = p_sha256 AND known.size_bytes = p_size_bytes AND known.camera_id = p_camera_id THEN
            RETURN 'duplicate';
        ELSE
            RAISE EXCEPTION 'segment known with other contents' USING ERRCODE =
                CASE WHEN EXISTS (SELECT FROM segment_claim WHERE segment_id = p_segment_id) THEN 'TN003' ELSE 'TN001' END;
        END IF;
    END IF;
    -- It survived an early erasure, and its row was lost: the newest wrap says which key opens it, and ends it.
    p_hour_key_id := coalesce(
        (SELECT w.hour_key_id FROM wrap_record w WHERE w.segment_id = p_segment_id AND w.hour_key_id IS NOT NULL
         ORDER BY w.wrap_id DESC LIMIT 1), p_hour_key_id);
    SELECT e.erasure_id INTO erased_by FROM erasure_span e
    WHERE e.camera_id = p_camera_id AND e.start_ns > p_start_ns - 86400000000000
      AND e.start_ns < p_end_ns AND e.end_ns > p_start_ns
    LIMIT 1;
    -- The camera's lock, which expiry and erasure take too, decides: a key that dies after this check finds the row.
    -- What a hold keeps is live all the same: its row was lost, and the hold's key opens it.
    UPDATE expired_key SET removed_ns = NULL WHERE hour_key_id = p_hour_key_id AND NOT EXISTS (
        SELECT FROM wrap_record w JOIN hold h USING (hold_id) WHERE w.segment_id = p_segment_id AND h.ended_ns IS NULL)
    RETURNING erased INTO key_erased;
    IF FOUND OR erased_by IS NOT NULL THEN
        PERFORM ensure_segment_day(p_start_ns);  -- may have been dropped: this camera's retention is over
        INSERT INTO segment_identity (segment_id, start_ns) VALUES (p_segment_id, p_start_ns);
        INSERT INTO segment VALUES (
            p_segment_id, p_site_id, p_camera_id, p_recorder_id, p_hour_key_id, p_start_ns, p_end_ns, p_size_bytes,
            p_sha256, p_header, p_codec, p_mime, p_width, p_height, p_init_size, p_frames, p_recovered, p_epoch,
            'expiring', NULL, NULL, NULL, NULL, now_ns(), p_init_sha256, p_trailer)
        ON CONFLICT DO NOTHING;  -- the row of a segment that was removed stays until its day's partition is dropped
        IF erased_by IS NOT NULL THEN
            INSERT INTO erased_segment VALUES (
                p_segment_id, erased_by, p_camera_id, p_hour_key_id, p_start_ns, p_end_ns, p_size_bytes, now_ns())
            ON CONFLICT DO NOTHING;
        END IF;
        -- A dead key that an erasure replaced: the recorder was away for longer than erasures wait.
        IF erased_by IS NOT NULL OR key_erased THEN
            PERFORM fill_gap(p_camera_id, p_start_ns, p_end_ns, 'erased');
        END IF;
        RETURN 'expired';
    END IF;
    IF p_epoch < 0 OR p_epoch >> 32 > 0 AND NOT EXISTS (
        SELECT FROM camera_lease
        WHERE camera_id = p_camera_id AND lease = p_epoch >> 32 AND recorder_id = p_recorder_id)
    THEN
        RAISE EXCEPTION 'the recorder does not hold this lease' USING ERRCODE = 'TN002';
    END IF;
    IF EXISTS (
        SELECT FROM segment
        WHERE camera_id = p_camera_id AND state IN ('live', 'contested')
          AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns)
    OR EXISTS (
        SELECT FROM gap
        WHERE camera_id = p_camera_id
          AND start_ns >= p_start_ns - 86400000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns)
    THEN
        new_state := 'contested';
    END IF;
    INSERT INTO segment_identity (segment_id, start_ns) VALUES (p_segment_id, p_start_ns);
    INSERT INTO segment VALUES (
        p_segment_id, p_site_id, p_camera_id, p_recorder_id, p_hour_key_id, p_start_ns, p_end_ns, p_size_bytes,
        p_sha256, p_header, p_codec, p_mime, p_width, p_height, p_init_size, p_frames, p_recovered, p_epoch, new_state,
        p_fragment_start_ms, p_fragment_offset, p_fragment_size, p_fragment_key, now_ns(), p_init_sha256, p_trailer);
    INSERT INTO segment_claim (segment_id, start_ns) VALUES (p_segment_id, p_start_ns)
    ON CONFLICT (segment_id) DO UPDATE SET start_ns = excluded.start_ns;  -- of a row that was lost
    PERFORM hold_segment(p_segment_id, p_camera_id, p_hour_key_id, p_start_ns, p_end_ns);
    IF new_state = 'live' THEN
        INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
    END IF;
    RETURN new_state;
END $$;

-- A role that can verify trailers says what it found of a committed row: p_flaw, or NULL when the row says what a
-- recorder signed. A row with a flaw is refused and shown in the quarantine as p_object_name; a gap takes its place if
-- it was live. Of those that hold, one of a higher epoch makes shadows of those that it overlaps; the first of an epoch
-- also of the epochs that it shows to be misfiled, the recorder's clock having been ahead. A gap takes the place of a
-- shadow, and footage that of a gap, so that the tiling holds. Rows that were committed more than two days ago are
-- hidden by nothing: a recorder that was taken over may lie about the present, not about the past.
-- Returns the row's state; 'contested' also when a rival has to be judged first. NULL: there is no such row.
CREATE FUNCTION settle_segment(p_segment_id uuid, p_flaw text, p_object_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    this segment;
    settled_ns bigint := now_ns() - 2 * 86400000000000;
    best_epoch bigint;
    fixed boolean;
    begins boolean;
    misfiled bigint[];
    loser record;
BEGIN
    SELECT s.* INTO this FROM segment_identity i JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
    WHERE i.segment_id = p_segment_id;
    IF FOUND THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || this.camera_id, 0));
        SELECT * INTO this FROM segment WHERE start_ns = this.start_ns AND segment_id = p_segment_id FOR UPDATE;
    END IF;
    IF this.state = 'contested' AND p_flaw IS NULL AND EXISTS (
        SELECT FROM segment s JOIN segment_claim c ON c.segment_id = s.segment_id
        WHERE s.camera_id = this.camera_id AND s.state = 'live'
          AND s.start_ns > this.start_ns - 120000000000 AND s.start_ns < this.end_ns AND s.end_ns > this.start_ns)
    THEN
        RETURN this.state;
    END IF;
    DELETE FROM segment_claim WHERE segment_id = p_segment_id;
    IF this.state IS NULL OR this.state NOT IN ('live', 'contested') THEN RETURN this.state; END IF;

    IF p_flaw IS NOT NULL THEN
        UPDATE segment SET state = 'refused' WHERE start_ns = this.start_ns AND segment_id = p_segment_id;
        INSERT INTO object_quarantine VALUES (p_object_name, now_ns(), p_flaw)
        ON CONFLICT (object_name) DO UPDATE SET reason = excluded.reason;
        IF this.state = 'live' THEN
            INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
            PERFORM fill_gap(this.camera_id, this.start_ns, this.end_ns, 'quarantined');
        END IF;
        RETURN 'refused';
    END IF;

    DELETE FROM object_quarantine WHERE object_name = p_object_name;
    SELECT max(epoch), bool_or(committed_ns < settled_ns) INTO best_epoch, fixed FROM segment
    WHERE camera_id = this.camera_id AND state = 'live' AND segment_id <> p_segment_id
      AND start_ns > this.start_ns - 120000000000 AND start_ns < this.end_ns AND end_ns > this.start_ns;
    -- Segments of one epoch may arrive out of order: keep the earliest start. FOUND then says whether this one is the
    -- earliest so far.
    INSERT INTO footage_epoch AS known VALUES (this.camera_id, this.recorder_id, this.epoch, this.start_ns)
    ON CONFLICT (camera_id, recorder_id, epoch) DO UPDATE SET start_ns = excluded.start_ns
    WHERE excluded.start_ns < known.start_ns;
    begins := FOUND;
    -- Equal epochs too: of two segments of one epoch that overlap, the first one committed stays.
    IF fixed OR best_epoch >= this.epoch OR EXISTS (
        SELECT FROM footage_epoch mine JOIN footage_epoch later USING (camera_id, recorder_id)
        WHERE camera_id = this.camera_id AND recorder_id = this.recorder_id AND mine.epoch = this.epoch
          AND later.epoch > this.epoch AND later.start_ns <= mine.start_ns)
    THEN
        UPDATE segment SET state = 'shadow' WHERE start_ns = this.start_ns AND segment_id = p_segment_id;
        IF this.state = 'live' THEN
            INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
        END IF;
        PERFORM fill_gap(this.camera_id, this.start_ns, this.end_ns, 'clock');
        RETURN 'shadow';
    END IF;
    IF begins THEN
        SELECT array_agg(epoch) INTO misfiled FROM footage_epoch
        WHERE camera_id = this.camera_id AND recorder_id = this.recorder_id AND epoch < this.epoch
          AND start_ns >= this.start_ns;
    END IF;
    IF best_epoch IS NOT NULL OR misfiled IS NOT NULL THEN
        FOR loser IN
            UPDATE segment SET state = 'shadow'
            WHERE camera_id = this.camera_id AND state = 'live' AND segment_id <> p_segment_id
              AND start_ns > this.start_ns - 120000000000
              AND (start_ns < this.end_ns AND end_ns > this.start_ns
                   OR recorder_id = this.recorder_id AND epoch = ANY (misfiled) AND committed_ns >= settled_ns)
            RETURNING segment_id, start_ns, end_ns
        LOOP
            -- The indexer ends the tags of the shadow.
            INSERT INTO outbox (kind, ref) VALUES ('segment', loser.segment_id);
            PERFORM fill_gap(this.camera_id, loser.start_ns, loser.end_ns, 'clock');
        END LOOP;
    END IF;
    IF this.state = 'contested' THEN
        UPDATE segment SET state = 'live' WHERE start_ns = this.start_ns AND segment_id = p_segment_id;
        INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
    END IF;
    PERFORM cut_gaps(this.camera_id, this.start_ns, this.end_ns);
    RETURN 'live';
END $$;

REVOKE ALL ON FUNCTION now_ns, ensure_segment_day, cut_gaps, fill_gap, commit_gaps, take_leases, commit_segment,
    settle_segment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_segment_day, commit_gaps, take_leases, commit_segment TO tallenne_ingest;
GRANT EXECUTE ON FUNCTION settle_segment TO tallenne_custodian;


-- == Keys
-- Hour keys and wrap records. Private halves are sealed under the custodian's keyring, which is never in this database, so
-- that dropping an entry there makes every copy and backup of these rows useless (sealed-format.md, "Keys").

-- Recorders use the highest serial of a camera and hour. A sequence never repeats a number, even after a rollback.
CREATE SEQUENCE hour_key_serial;

CREATE TABLE hour_key (
    hour_key_id uuid PRIMARY KEY,
    serial bigint NOT NULL UNIQUE,
    site_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    hour_ns bigint NOT NULL,                -- UTC hour of recording
    expires_hour_ns bigint NOT NULL,        -- the keyring entry that seals the private half
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    sealed_private bytea NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'draining', 'dead')),
    signature bytea NOT NULL CHECK (length(signature) = 64),  -- the custodian's, over the published statement
    created_ns bigint NOT NULL,
    moved_ns bigint NOT NULL DEFAULT 0,     -- when it got another hour of expiry; of two records the later counts
    UNIQUE (camera_id, hour_ns, serial)
);
CREATE INDEX hour_key_expires ON hour_key (expires_hour_ns);
CREATE INDEX hour_key_hour ON hour_key (hour_ns, expires_hour_ns);

-- What recorders may read. They have no right to the table itself, which holds the sealed private halves.
CREATE VIEW hour_key_public AS
    SELECT hour_key_id, serial, site_id, camera_id, hour_ns, public_key, state, signature FROM hour_key;

-- Until when what was recorded is kept: for those who say so, without any key.
CREATE VIEW hour_key_kept AS
    SELECT hour_key_id, camera_id, hour_ns, expires_hour_ns FROM hour_key;

-- The newest wrap of a segment's data key has precedence over the one in the object's header.
CREATE TABLE wrap_record (
    wrap_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segment_id uuid NOT NULL,
    hour_key_id uuid REFERENCES hour_key,   -- NULL: wrapped to a hold's key
    hold_id uuid,
    wrap bytea NOT NULL CHECK (length(wrap) = 80),
    created_ns bigint NOT NULL,
    CHECK ((hour_key_id IS NULL) <> (hold_id IS NULL))
);
CREATE INDEX wrap_record_segment ON wrap_record (segment_id, wrap_id DESC);
CREATE INDEX wrap_record_hour_key ON wrap_record (hour_key_id);

GRANT SELECT, INSERT, UPDATE ON hour_key TO tallenne_custodian;
GRANT USAGE, UPDATE ON SEQUENCE hour_key_serial TO tallenne_custodian;
GRANT SELECT ON hour_key_public TO tallenne_ingest, tallenne_custodian;
GRANT SELECT, INSERT ON wrap_record TO tallenne_custodian;
-- Which segments name another hour key than their headers: for `tallenne verify`.
GRANT SELECT (segment_id, hour_key_id) ON wrap_record TO tallenne_serve;



-- == Expiry
-- A keyring entry is dropped when its hour is over. In this order, each step repeatable after a crash at any point:
-- expire_hour_keys() decides (in here, under the cameras' locks), the custodian drops the entry, a certificate states it,
-- and the keeper removes objects, then rows, then whole days.

-- What the custodian states about footage that it made unreadable: signed, each naming the SHA-256 of the one before.
CREATE TABLE certificate (
    number bigint PRIMARY KEY CHECK (number > 0),
    kind text NOT NULL CHECK (kind IN ('expiry', 'erasure')),
    body bytea NOT NULL,                    -- as signed: storage/catalogue/certificates.py
    signature bytea NOT NULL CHECK (length(signature) = 64),
    issued_ns bigint NOT NULL
);

-- Hour keys that are dead: their rows in hour_key are gone, private halves included.
CREATE TABLE expired_key (
    hour_key_id uuid PRIMARY KEY,
    site_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    hour_ns bigint NOT NULL,
    expires_hour_ns bigint NOT NULL,
    segments int NOT NULL,                  -- that became unreadable, and their bytes and span
    size_bytes bigint NOT NULL,
    first_ns bigint,
    last_ns bigint,
    expired_ns bigint NOT NULL,
    certificate bigint REFERENCES certificate,  -- NULL: the keyring's entry may still exist
    removed_ns bigint,                      -- NULL: there are objects and rows to remove
    erased boolean NOT NULL DEFAULT false   -- before its hour: its other footage is under another hour key
);
CREATE INDEX expired_key_uncertified ON expired_key (expires_hour_ns) WHERE certificate IS NULL;
CREATE INDEX expired_key_to_remove ON expired_key (expires_hour_ns, camera_id) WHERE removed_ns IS NULL;
CREATE INDEX expired_key_hour ON expired_key (hour_ns);

-- A row: nothing expires until an operator confirms (after a rebuild, when holds and erasures may be unknown).
CREATE TABLE retention_pause (
    reason text NOT NULL,
    since_ns bigint NOT NULL
);

-- Kills hour keys whose hour of expiry is over, and sets their segments to 'expiring'. The only way to kill one. Returns
-- how many it killed. Each camera's lock comes first: commit_segment() holds it, too, so that no row slips in between.
CREATE FUNCTION expire_hour_keys(p_hour_key_ids uuid[], p_now_ns bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    k record;
    killed int := 0;
BEGIN
    FOR k IN
        SELECT hour_key_id, site_id, camera_id, hour_ns, expires_hour_ns FROM hour_key
        WHERE hour_key_id = ANY (p_hour_key_ids) AND expires_hour_ns <= p_now_ns
        ORDER BY camera_id, hour_ns
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || k.camera_id, 0));
        -- A hold was placed, or held footage was committed, since the custodian looked: it wraps that first.
        CONTINUE WHEN EXISTS (SELECT FROM hold_backlog WHERE hour_key_id = k.hour_key_id);
        DELETE FROM wrap_record WHERE hour_key_id = k.hour_key_id;
        DELETE FROM hour_key WHERE hour_key_id = k.hour_key_id;
        CONTINUE WHEN NOT FOUND;
        WITH live AS (
            UPDATE segment SET state = 'expiring'
            WHERE camera_id = k.camera_id AND state = 'live' AND hour_key_id = k.hour_key_id
              AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000
              -- What a hold keeps stays as it is: it opens with the hold's key.
              AND NOT EXISTS (
                  SELECT FROM wrap_record w WHERE w.segment_id = segment.segment_id AND w.hold_id IS NOT NULL)
            RETURNING size_bytes, start_ns, end_ns
        ), other AS (
            UPDATE segment SET state = 'expiring'
            WHERE camera_id = k.camera_id AND state <> 'live' AND state IN ('shadow', 'gone', 'contested')
              AND hour_key_id = k.hour_key_id
              AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000
              AND NOT EXISTS (
                  SELECT FROM wrap_record w WHERE w.segment_id = segment.segment_id AND w.hold_id IS NOT NULL)
            RETURNING size_bytes, start_ns, end_ns
        )
        INSERT INTO expired_key
        SELECT k.hour_key_id, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns,
               count(*), coalesce(sum(size_bytes), 0), min(start_ns), max(end_ns), p_now_ns, NULL,
               CASE WHEN count(*) = 0 AND NOT EXISTS (
                   SELECT FROM erased_segment WHERE hour_key_id = k.hour_key_id) THEN p_now_ns END
        FROM (SELECT * FROM live UNION ALL SELECT * FROM other) AS done
        -- Rows of a backup that was restored: dead before, and dead again.
        ON CONFLICT (hour_key_id) DO UPDATE
        SET certificate = NULL, removed_ns = excluded.removed_ns, expired_ns = excluded.expired_ns,
            segments = excluded.segments, size_bytes = excluded.size_bytes,
            first_ns = excluded.first_ns, last_ns = excluded.last_ns;
        killed := killed + 1;
    END LOOP;
    RETURN killed;
END $$;

-- The objects of these segments of a dead hour key are gone: their tags and identities go. Their rows go with the day's
-- partition, or now when other cameras keep that partition for longer. removed_ns is set once nothing is left; then it
-- returns true. Only what is 'expiring' under that key is touched, whatever the caller says.
CREATE FUNCTION remove_expired(p_hour_key_id uuid, p_segment_ids uuid[], p_now_ns bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    k record;
    mine uuid[];
BEGIN
    SELECT * INTO k FROM expired_key WHERE hour_key_id = p_hour_key_id AND certificate IS NOT NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    -- commit_segment() adds rows to a dead key under this lock.
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || k.camera_id, 0));
    SELECT array_agg(segment_id) INTO mine FROM segment
    WHERE camera_id = k.camera_id AND state = 'expiring' AND hour_key_id = p_hour_key_id
      AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000 AND segment_id = ANY (p_segment_ids);
    DELETE FROM tag WHERE segment_id = ANY (mine);
    DELETE FROM segment_identity WHERE segment_id = ANY (mine);
    IF EXISTS (
        SELECT FROM hour_key
        WHERE hour_ns >= k.hour_ns - k.hour_ns % 86400000000000
          AND hour_ns < k.hour_ns - k.hour_ns % 86400000000000 + 86400000000000
          AND expires_hour_ns > p_now_ns + 93600000000000)
    THEN
        DELETE FROM segment
        WHERE camera_id = k.camera_id AND state = 'expiring' AND hour_key_id = p_hour_key_id
          AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000 AND segment_id = ANY (mine);
    END IF;
    UPDATE expired_key SET removed_ns = p_now_ns
    WHERE hour_key_id = p_hour_key_id AND removed_ns IS NULL AND NOT EXISTS (
        SELECT FROM segment s JOIN segment_identity i ON i.segment_id = s.segment_id AND i.start_ns = s.start_ns
        WHERE s.camera_id = k.camera_id AND s.state = 'expiring' AND s.hour_key_id = p_hour_key_id
          AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000);
    RETURN FOUND;
END $$;

-- Days of which nothing lives: every hour key is dead and removed, and no row but of removed objects is left.
CREATE FUNCTION segment_days_over(p_now_ns bigint) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    day_ns bigint;
    name text;
    used boolean;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
        WHERE inhparent = 'segment'::regclass ORDER BY c.relname
    LOOP
        day_ns := extract(epoch FROM to_timestamp(right(name, 8) || '+00', 'YYYYMMDDTZH'))::bigint * 1000000000;
        CONTINUE WHEN day_ns + 86400000000000 > p_now_ns;
        CONTINUE WHEN EXISTS (
            SELECT FROM hour_key WHERE hour_ns >= day_ns AND hour_ns < day_ns + 86400000000000);
        CONTINUE WHEN EXISTS (
            SELECT FROM expired_key
            WHERE hour_ns >= day_ns AND hour_ns < day_ns + 86400000000000 AND removed_ns IS NULL);
        -- Refused rows keep nothing: they may name any key.
        EXECUTE format('SELECT EXISTS (SELECT FROM %I s WHERE s.state <> ''refused'' AND (s.state <> ''expiring'' OR EXISTS '
                       '(SELECT FROM segment_identity i WHERE i.segment_id = s.segment_id)))', name) INTO used;
        IF NOT used THEN RETURN NEXT day_ns; END IF;
    END LOOP;
END $$;

-- Drops the partition of such a day, and nothing else. Does not wait for others: the keeper tries again.
CREATE FUNCTION drop_segment_day(p_day_ns bigint, p_now_ns bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    name text := 'segment_' || to_char(to_timestamp(p_day_ns / 1000000000) AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(name, 0));  -- as ensure_segment_day()
    LOCK TABLE segment IN ACCESS EXCLUSIVE MODE;               -- no row can come between the look and the drop
    IF NOT EXISTS (SELECT FROM segment_days_over(p_now_ns) AS day_ns WHERE day_ns = p_day_ns) THEN RETURN false; END IF;
    EXECUTE format('DELETE FROM segment_identity i USING %I s WHERE i.segment_id = s.segment_id', name);  -- of refused rows
    EXECUTE format('DROP TABLE %I', name);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION expire_hour_keys, remove_expired, segment_days_over, drop_segment_day FROM PUBLIC;
GRANT EXECUTE ON FUNCTION expire_hour_keys TO tallenne_custodian;
GRANT EXECUTE ON FUNCTION remove_expired, segment_days_over, drop_segment_day TO tallenne_keeper;
GRANT SELECT, INSERT ON certificate TO tallenne_custodian;
GRANT SELECT, UPDATE ON expired_key TO tallenne_custodian;
GRANT SELECT, DELETE ON retention_pause TO tallenne_custodian;
GRANT SELECT ON certificate, expired_key, retention_pause, hour_key_kept TO tallenne_serve;
GRANT SELECT ON expired_key, segment, segment_identity TO tallenne_keeper;


-- == Journal
-- The bucket's journal (storage/journal/): a new or changed row of these tables is also written there, signed by the
-- custodian, so that a lost database can be made anew. A row waits here, in the same transaction, until it is.
CREATE TABLE journal_outbox (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,                     -- JournalKind: the table
    at_ns bigint NOT NULL,                  -- in the hour that the record belongs to
    entry jsonb NOT NULL                    -- the row, and "noted_ns": of two versions the later counts
);
GRANT SELECT, DELETE ON journal_outbox TO tallenne_custodian;

-- First argument: the column that says to which hour the record belongs. Second: columns that stay out of the bucket, since
-- people typed them and records are signed, not sealed. What `tallenne catalogue rebuild` and
-- `reconcile` bring back from the journal is in it already: they set tallenne.from_journal.
CREATE FUNCTION journal_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
BEGIN
    -- Everyone may set this; it counts from the owner alone, as which this function runs.
    IF session_user = current_user AND current_setting('tallenne.from_journal', true) = 'on' THEN RETURN NULL; END IF;
    EXECUTE format(
        'INSERT INTO journal_outbox (kind, at_ns, entry)'
        ' SELECT %L, %I, to_jsonb(f) - %L::text[] || jsonb_build_object(''noted_ns'', %s) FROM fresh f',
        TG_TABLE_NAME, TG_ARGV[0], string_to_array(coalesce(TG_ARGV[1], ''), ','),
        (extract(epoch FROM clock_timestamp()) * 1e9)::bigint);
    RETURN NULL;
END $$;

CREATE TRIGGER journal_new AFTER INSERT ON recorder REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('enrolled_ns');
CREATE TRIGGER journal_changed AFTER UPDATE ON recorder REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('enrolled_ns');
CREATE TRIGGER journal_new AFTER INSERT ON camera_lease REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('granted_ns');
CREATE TRIGGER journal_new AFTER INSERT ON hour_key REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('expires_hour_ns');
CREATE TRIGGER journal_changed AFTER UPDATE ON hour_key REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('expires_hour_ns');
CREATE TRIGGER journal_new AFTER INSERT ON wrap_record REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('created_ns');
CREATE TRIGGER journal_new AFTER INSERT ON certificate REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('issued_ns');
CREATE TRIGGER journal_new AFTER INSERT ON expired_key REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('expires_hour_ns');
CREATE TRIGGER journal_changed AFTER UPDATE ON expired_key REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('expires_hour_ns');


-- == Doors and members
-- Members, credentials, access events, tags, quarantine. Events and tags carry an internal member uuid only;
-- erasing `member_identity` and `credential` rows cuts the link.

CREATE TABLE member (
    member_id uuid PRIMARY KEY,
    created_ns bigint NOT NULL,
    minor boolean NOT NULL DEFAULT false
);

-- The link from the internal uuid to the person. No other table holds a name or a number.
CREATE TABLE member_identity (
    member_id uuid PRIMARY KEY REFERENCES member,
    number text NOT NULL UNIQUE,            -- the gym's customer number
    name text NOT NULL,
    search text NOT NULL                    -- the name without case and accents (storage.access.members.fold)
);

CREATE TABLE credential (
    credential text NOT NULL,               -- normalised: upper case, no separators
    member_id uuid NOT NULL REFERENCES member,
    valid_from_ns bigint NOT NULL,
    valid_to_ns bigint NOT NULL DEFAULT 9223372036854775807,
    PRIMARY KEY (credential, valid_from_ns),
    CHECK (valid_from_ns < valid_to_ns)
);
CREATE INDEX credential_member ON credential (member_id);

CREATE TABLE access_event (
    event_id uuid PRIMARY KEY,
    dedup_key bytea NOT NULL UNIQUE CHECK (length(dedup_key) = 32),
    site_id uuid NOT NULL,
    door_id uuid NOT NULL REFERENCES door,
    kind text NOT NULL CHECK (kind IN
        ('granted', 'denied', 'entered', 'not_entered', 'forced_open', 'held_open', 'exit')),
    direction text CHECK (direction IN ('in', 'out')),
    member_id uuid,
    occurred_ns bigint NOT NULL,
    received_ns bigint NOT NULL,
    uncertain boolean NOT NULL DEFAULT false,
    superseded_by uuid,                     -- a correction; NULL: in force. Withdrawn: its own event_id
    superseded_ns bigint,
    -- The controller's own time, where occurred_ns differs from it: a clock that is ahead reports events before they happen.
    reported_ns bigint
);
-- One index per way to ask: at a door (tags, timeline), of a member (visits), of a site (search).
CREATE INDEX access_event_door_time ON access_event (door_id, occurred_ns);
CREATE INDEX access_event_member_time ON access_event (member_id, occurred_ns);
CREATE INDEX access_event_site_time ON access_event (site_id, occurred_ns);
-- Events of uncertain time are also searched by their time of arrival.
CREATE INDEX access_event_uncertain ON access_event (site_id, received_ns) WHERE uncertain;

CREATE TABLE tag (
    event_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    segment_start_ns bigint NOT NULL,       -- names the segment's partition
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,               -- [occurred - before, occurred + after)
    end_ns bigint NOT NULL,
    uncertain boolean NOT NULL DEFAULT false,
    superseded_ns bigint,                   -- NULL: in force
    PRIMARY KEY (event_id, segment_id)
);
CREATE INDEX tag_segment ON tag (segment_id);

CREATE TABLE controller_skew (
    door_id uuid PRIMARY KEY REFERENCES door,
    skew_ns bigint NOT NULL,                -- received - occurred, of live events, smoothed
    updated_ns bigint NOT NULL
);

-- For controllers that number their messages: the first number of their counter's present run, the last one, and the numbers
-- that never came. One row per indexer, since each has its own session at the broker and receives other messages.
CREATE TABLE door_sequence (
    door_id uuid NOT NULL REFERENCES door,
    instance text NOT NULL,
    first_seq bigint NOT NULL,
    first_ns bigint NOT NULL,               -- when it came
    last_seq bigint NOT NULL,
    missing jsonb NOT NULL,                 -- [[first, past, since_ns], ...]
    PRIMARY KEY (door_id, instance)
);

-- Every event and segment passes through the outbox. Its dead rows are vacuumed early, or the tagger's scan from the oldest
-- row on would read all of them each time.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- Messages that the indexer could not decode. A payload may hold personal data: it is sealed to the custodian's intake key.
CREATE TABLE quarantine (
    quarantine_id uuid PRIMARY KEY,
    received_ns bigint NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    sealed_payload bytea NOT NULL,          -- topic and payload; empty once replayed
    digest bytea NOT NULL UNIQUE,           -- keyed hash of topic and payload: a repeat is counted, not stored again
    seen_count int NOT NULL DEFAULT 1,
    replayed_ns bigint
);
CREATE INDEX quarantine_received ON quarantine (received_ns, quarantine_id);

-- The key of the keyed hashes above (dedup_key, digest), the same for all indexers and readable by no other role. An unkeyed
-- hash would give a credential away: there are only 2^32 of four bytes, and all can be tried.
CREATE TABLE index_secret (
    secret bytea NOT NULL CHECK (length(secret) = 32)
);
INSERT INTO index_secret
-- Three random UUIDs hold 366 random bits, from the server's strong generator; the embedded server has no pgcrypto.
SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

GRANT SELECT, INSERT, UPDATE ON access_event, tag, controller_skew, door_sequence, quarantine TO tallenne_index;
GRANT SELECT, INSERT, UPDATE, DELETE ON member, member_identity, credential TO tallenne_index;
GRANT DELETE ON quarantine TO tallenne_index;
GRANT SELECT ON index_secret TO tallenne_index;
GRANT SELECT ON member, member_identity, access_event, tag, controller_skew, quarantine TO tallenne_serve;
GRANT SELECT ON access_event, tag TO tallenne_custodian;


-- == Members' own pages
-- Sessions and one-time codes of members: apart from those of staff, who have other tables, another cookie and other keys.

CREATE TABLE member_session (
    session_id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,       -- HMAC of the cookie under the api's own key, with another label than of staff's
    member_id uuid NOT NULL REFERENCES member,
    email_hash bytea NOT NULL,              -- HMAC of the address that opened it: with another address in the register it is over
    created_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    ended_ns bigint
);
CREATE INDEX member_session_member ON member_session (member_id) WHERE ended_ns IS NULL;

-- Where codes were asked for, known address or not: the row is the same. The browser that asked holds the token.
CREATE TABLE member_code_request (
    request_hash bytea PRIMARY KEY,         -- HMAC of the token
    email_hash bytea NOT NULL,
    kind text NOT NULL CHECK (kind IN ('sign_in', 'new_email')),
    asked_ns bigint NOT NULL,
    tries int NOT NULL DEFAULT 0,
    used_ns bigint
);
CREATE INDEX member_code_request_asked ON member_code_request (asked_ns);

-- A code for each member who has that address; each opens that member's pages alone.
CREATE TABLE member_code (
    request_hash bytea NOT NULL REFERENCES member_code_request ON DELETE CASCADE,
    code_hash bytea NOT NULL,               -- HMAC of request and code
    member_id uuid NOT NULL REFERENCES member,
    PRIMARY KEY (request_hash, code_hash),
    UNIQUE (request_hash, member_id)
);

GRANT SELECT, INSERT, UPDATE ON member_session, member_code_request TO tallenne_serve;
GRANT SELECT, INSERT ON member_code TO tallenne_serve;


-- == Staff and audit
-- Staff, sessions, grants and the audit chain. Only the api reads and writes the staff tables; the custodian asks
-- staff_may(). Audit entries are appended by audit_append() and never changed.

CREATE TABLE staff (
    staff_id uuid PRIMARY KEY,
    user_name text NOT NULL UNIQUE,
    display_name text NOT NULL,
    password_hash text NOT NULL,            -- argon2id
    totp_secret bytea,                      -- sealed under the api's own key; NULL: second factor not yet set
    totp_last_step bigint NOT NULL DEFAULT 0,
    language text NOT NULL DEFAULT '',
    disabled_ns bigint,
    created_ns bigint NOT NULL
);

CREATE TABLE recovery_code (
    staff_id uuid NOT NULL REFERENCES staff,
    code_hash bytea NOT NULL,
    used_ns bigint,
    PRIMARY KEY (staff_id, code_hash)
);

-- role: viewer (search and watch), exporter (viewer, and export), admin (users, roles, quarantine, members),
-- auditor (audit only). site_id and camera_id NULL: all.
CREATE TABLE staff_grant (
    grant_id uuid PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff,
    role text NOT NULL CHECK (role IN ('viewer', 'exporter', 'admin', 'auditor')),
    site_id uuid REFERENCES site,
    camera_id uuid REFERENCES camera
);
CREATE INDEX staff_grant_staff ON staff_grant (staff_id);

-- Which cameras of a site a person's wall shows, in this order. No row: all, by name.
CREATE TABLE staff_wall (
    staff_id uuid NOT NULL REFERENCES staff,
    site_id uuid NOT NULL REFERENCES site,
    camera_ids uuid[] NOT NULL CHECK (cardinality(camera_ids) BETWEEN 1 AND 16),
    PRIMARY KEY (staff_id, site_id)
);

CREATE TABLE staff_session (
    session_id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,       -- HMAC of the cookie under the api's own key: a row written without that key opens none
    staff_id uuid NOT NULL REFERENCES staff,
    created_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    stepped_up_ns bigint NOT NULL DEFAULT 0,
    second_factor boolean NOT NULL DEFAULT false,
    ended_ns bigint
);

CREATE INDEX staff_session_staff ON staff_session (staff_id) WHERE ended_ns IS NULL;

-- Who was shown whose password or second factor, and could have signed in as them. For some days the accounts that this
-- links count as one person where two people are needed.
CREATE TABLE staff_handover (
    staff_id uuid NOT NULL REFERENCES staff,
    by_staff_id uuid NOT NULL REFERENCES staff CHECK (by_staff_id <> staff_id),
    kind text NOT NULL CHECK (kind IN ('account', 'password', 'factor')),
    at_ns bigint NOT NULL
);
CREATE INDEX staff_handover_at ON staff_handover (at_ns);
CREATE UNIQUE INDEX staff_handover_account ON staff_handover (staff_id) WHERE kind = 'account';

-- Every account that handovers of the last three days link with this one, over any number of steps and in both directions;
-- itself too.
CREATE FUNCTION staff_in_one_hand(p_staff_id uuid, p_now_ns bigint) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    WITH RECURSIVE hand (staff_id) AS (
        SELECT p_staff_id
        UNION
        SELECT linked.staff_id
        FROM hand JOIN staff_handover h ON hand.staff_id IN (h.staff_id, h.by_staff_id) AND h.at_ns > p_now_ns - 3 * 86400000000000,
             LATERAL (VALUES (h.staff_id), (h.by_staff_id)) AS linked (staff_id))
    SELECT staff_id FROM hand
$$;
REVOKE ALL ON FUNCTION staff_in_one_hand FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff_in_one_hand TO tallenne_serve, tallenne_custodian;

-- Failed sign-ins, by a keyed hash of the user name or of the caller's address, so that neither is kept.
CREATE TABLE sign_in_throttle (
    throttle_key bytea PRIMARY KEY,
    failures int NOT NULL,
    last_ns bigint NOT NULL,
    blocked_until_ns bigint NOT NULL
);

-- A purpose is stated once and kept with every look made under it. With an export it is the approver's: it opens that
-- export's footage, while it waits, and nothing else.
CREATE TABLE purpose (
    purpose_id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES staff_session,
    category text NOT NULL,
    reason text NOT NULL,
    stated_ns bigint NOT NULL,
    export_id uuid
);

-- An export is described and hashed here, and streamed from the sealed objects whenever it is fetched. No footage.
-- state: approval (a second person has to decide), approved, working, ready, failed; or, without an approval, refused by
-- the second person, cancelled by the asker, lapsed (some of its footage has ended).
CREATE TABLE footage_export (
    export_id uuid PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff,
    purpose_id uuid NOT NULL REFERENCES purpose,
    camera_ids uuid[] NOT NULL CHECK (cardinality(camera_ids) > 0),
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL CHECK (end_ns > start_ns),
    format text NOT NULL CHECK (format IN ('zip', 'mp4')),
    state text NOT NULL CHECK (state IN ('approval', 'approved', 'working', 'ready', 'failed', 'refused', 'cancelled', 'lapsed')),
    minor boolean NOT NULL,
    attempt int NOT NULL DEFAULT 0,         -- to make it; one that a later attempt has overtaken changes nothing any more
    approved_by uuid REFERENCES staff CHECK (approved_by <> staff_id),
    approved_ns bigint,
    problem text,
    manifest bytea,                         -- as signed
    signature bytea CHECK (length(signature) = 64),
    created_ns bigint NOT NULL CHECK (created_ns >= end_ns),  -- what has not happened yet cannot be approved
    finished_ns bigint,
    footage_ns bigint NOT NULL DEFAULT 0,   -- the most footage that it had while it waited, of all cameras together
    ended_by uuid REFERENCES staff,         -- who refused or cancelled it
    ended_ns bigint,
    refusal text,                           -- why it was refused: the asker reads it
    masked boolean NOT NULL DEFAULT false,  -- everyone in the copy is masked, by programs alone
    -- No copy leaves without a second person's approval: it shows other people too, and masks may miss someone. What waits for an
    -- approval has none left over from before.
    CONSTRAINT footage_export_two_persons CHECK ((approved_by IS NULL) = (state IN ('approval', 'refused', 'cancelled', 'lapsed'))),
    CONSTRAINT footage_export_ended CHECK (
        (ended_ns IS NOT NULL) = (state IN ('refused', 'cancelled', 'lapsed'))
        AND CASE state WHEN 'refused' THEN ended_by <> staff_id WHEN 'cancelled' THEN ended_by = staff_id ELSE ended_by IS NULL END
            IS TRUE
        AND CASE WHEN state = 'refused' THEN length(refusal) BETWEEN 1 AND 500 ELSE refusal IS NULL END IS TRUE),
    CHECK ((state = 'ready') = (manifest IS NOT NULL AND signature IS NOT NULL))
);
CREATE INDEX footage_export_created ON footage_export (created_ns);
CREATE INDEX footage_export_waiting ON footage_export (created_ns) WHERE state = 'approval';
ALTER TABLE purpose ADD FOREIGN KEY (export_id) REFERENCES footage_export ON DELETE SET NULL;
CREATE INDEX purpose_export ON purpose (export_id) WHERE export_id IS NOT NULL;

-- What became of an export: who did what when, and why. Written by the trigger alone, with the change itself.
CREATE TABLE export_step (
    step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    export_id uuid NOT NULL REFERENCES footage_export ON DELETE CASCADE,
    step text NOT NULL CHECK (step IN ('asked', 'approved', 'refused', 'cancelled', 'lapsed', 'reopened', 'ready', 'failed')),
    staff_id uuid REFERENCES staff,         -- NULL: no person did it
    reason text,
    at_ns bigint NOT NULL
);
CREATE INDEX export_step_export ON export_step (export_id, step_id);
CREATE INDEX export_step_staff ON export_step (staff_id, step_id);

CREATE FUNCTION footage_export_step() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    name text := CASE WHEN NEW.state <> 'approval' THEN NEW.state WHEN TG_OP = 'INSERT' THEN 'asked' ELSE 'reopened' END;
BEGIN
    IF NEW.state <> 'working' AND (TG_OP = 'INSERT' OR NEW.state <> OLD.state) THEN
        INSERT INTO export_step (export_id, step, staff_id, reason, at_ns) VALUES (
            NEW.export_id, name,
            CASE WHEN name IN ('asked', 'ready') THEN NEW.staff_id WHEN name = 'approved' THEN NEW.approved_by ELSE NEW.ended_by END,
            CASE name WHEN 'asked' THEN (SELECT p.reason FROM purpose p WHERE p.purpose_id = NEW.purpose_id)
                      WHEN 'failed' THEN NEW.problem ELSE NEW.refusal END,
            coalesce(
                CASE name WHEN 'asked' THEN NEW.created_ns WHEN 'approved' THEN NEW.approved_ns WHEN 'ready' THEN NEW.finished_ns
                          ELSE NEW.ended_ns END,
                (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint));
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION footage_export_step FROM PUBLIC;
CREATE TRIGGER footage_export_step AFTER INSERT OR UPDATE OF state ON footage_export
    FOR EACH ROW EXECUTE FUNCTION footage_export_step();

CREATE TABLE audit_entry (
    seq bigint PRIMARY KEY,
    at_ns bigint NOT NULL,
    writer text NOT NULL,                   -- the database role that appended it, by the server's word
    actor text NOT NULL,                    -- "staff:<uuid>", "member:<uuid>", "user:<uid>", "operator"
    action text NOT NULL,                   -- "sign_in", "search", "look", "export", ...
    session_id uuid,
    purpose_id uuid,
    member_id uuid,
    camera_id uuid,
    start_ns bigint,
    end_ns bigint,
    detail jsonb NOT NULL DEFAULT '{}',
    previous bytea NOT NULL CHECK (length(previous) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX audit_entry_member ON audit_entry (member_id, seq);
CREATE INDEX audit_entry_at ON audit_entry (at_ns, seq);
-- One for each filter of the audit page. An entry names members and cameras in its columns, and in lists within its detail.
CREATE INDEX audit_entry_actor ON audit_entry (actor, seq);
CREATE INDEX audit_entry_action ON audit_entry (action, seq);
CREATE INDEX audit_entry_camera ON audit_entry (camera_id, seq) WHERE camera_id IS NOT NULL;
CREATE INDEX audit_entry_members ON audit_entry USING gin ((detail -> 'members')) WITH (fastupdate = off)
    WHERE detail ? 'members';
CREATE INDEX audit_entry_cameras ON audit_entry USING gin ((detail -> 'cameras')) WITH (fastupdate = off)
    WHERE detail ? 'cameras';
CREATE INDEX audit_entry_look ON audit_entry (purpose_id) WHERE action = 'look';
CREATE INDEX purpose_session ON purpose (session_id, stated_ns);

-- What each role may say: its actions, and whether it may name staff as their actor. Looks come from the custodian, which
-- has seen the session; a role that reads doors' messages says nothing of staff.
CREATE TABLE audit_writer (
    writer text PRIMARY KEY,
    names_staff boolean NOT NULL,
    actions text[] NOT NULL
);
INSERT INTO audit_writer VALUES
    ('tallenne_custodian', true, ARRAY['look', 'look_refused', 'look_live', 'look_live_refused', 'export', 'export_refused',
        'enrol', 'verify', 'rebuild', 'make_past_keys', 'open_intake', 'heads_restored', 'expired', 'retention_changed',
        'retention_confirmed', 'hold_placed', 'case_end_asked', 'case_kept', 'case_ended',
        'erasure_asked', 'erasure_approved', 'erasure_refused', 'erasure_cancelled', 'erased']),
    ('tallenne_index', false, ARRAY['members_imported', 'member_ended', 'quarantine_replayed', 'event_withdrawn',
        'event_superseded', 'events_reassigned']),
    ('tallenne_serve', true, ARRAY['find', 'visit', 'timeline', 'search_members', 'search_visits', 'search_events',
        'purpose', 'look_whole', 'export_asked', 'export_previewed', 'export_approved', 'export_declined', 'export_cancelled',
        'export_lapsed', 'export_reopened', 'export_made', 'export_fetched', 'exports_listed', 'sign_in',
        'sign_in_failed', 'step_up', 'step_up_failed', 'sign_out', 'password_changed', 'recovery_codes', 'staff_created',
        'staff_grants', 'staff_disabled', 'staff_enabled', 'factor_reset', 'password_reset', 'signed_out', 'disclosure',
        'audit_read', 'register_read', 'register_changed', 'register_rights', 'register_exported', 'consent_given', 'consent_withdrawn',
        'request_received', 'request_identified', 'request_extended', 'request_answered', 'request_refused', 'request_withdrawn',
        'copy_made', 'person_erased', 'recipient_recorded',
        'case_opened', 'case_entry', 'case_review', 'bookmark_added', 'bookmark_filed', 'bookmark_removed',
        'member_sign_in', 'member_sign_in_failed', 'member_sign_out', 'member_read', 'member_email_asked']);

-- The hashed text of an entry: its fields joined by U+001F, which none of them can contain, NULL as empty. The hash is
-- sha256(previous || line). IMMUTABLE: the same row gives the same line for as long as it is kept.
CREATE FUNCTION audit_line(e audit_entry) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_to(concat_ws(E'\x1f', e.seq::text, e.at_ns::text, e.writer, e.actor, e.action,
        coalesce(e.session_id::text, ''), coalesce(e.purpose_id::text, ''), coalesce(e.member_id::text, ''),
        coalesce(e.camera_id::text, ''), coalesce(e.start_ns::text, ''), coalesce(e.end_ns::text, ''),
        e.detail::text), 'UTF8')
$$;

-- May this database role record this action by this actor in this session? The owner may: it could write the table itself.
CREATE FUNCTION audit_may(p_writer text, p_actor text, p_action text, p_session_id uuid)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT p_writer = current_user OR EXISTS (
        SELECT FROM audit_writer w WHERE w.writer = p_writer AND p_action = ANY (w.actions)
          AND CASE WHEN NOT w.names_staff THEN p_actor = 'operator' AND p_session_id IS NULL
                   WHEN p_actor LIKE 'member:%' THEN p_writer = 'tallenne_serve'
                       AND p_action IN ('register_changed', 'consent_given', 'consent_withdrawn', 'member_sign_in', 'member_sign_out',
                           'member_read', 'member_email_asked', 'request_received', 'request_withdrawn')
                       AND EXISTS (
                       SELECT FROM member_session s WHERE s.session_id = p_session_id AND 'member:' || s.member_id = p_actor)
                   WHEN p_session_id IS NOT NULL THEN EXISTS (
                       SELECT FROM staff_session s WHERE s.session_id = p_session_id AND 'staff:' || s.staff_id = p_actor)
                   WHEN p_actor LIKE 'staff:%' THEN EXISTS (
                       SELECT FROM staff u WHERE u.staff_id = substr(p_actor, 7)::uuid)
                   ELSE true END)
$$;
REVOKE ALL ON FUNCTION audit_may FROM PUBLIC;

CREATE FUNCTION audit_append(
    p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid,
    p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    e audit_entry;
BEGIN
    IF NOT audit_may(session_user, p_actor, p_action, p_session_id) THEN
        RAISE EXCEPTION '% may not record % by this actor', session_user, p_action USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(7411222001);  -- one writer at a time: the chain has one head
    SELECT seq, hash INTO e.seq, e.previous FROM audit_entry ORDER BY seq DESC LIMIT 1;
    e.seq := coalesce(e.seq, 0) + 1;
    -- The first entry follows 32 zero bytes: custodian/audit/chain.py, START.
    e.previous := coalesce(e.previous, decode(repeat('00', 32), 'hex'));
    e.at_ns := p_at_ns; e.writer := session_user; e.actor := p_actor; e.action := p_action; e.session_id := p_session_id;
    e.purpose_id := p_purpose_id; e.member_id := p_member_id; e.camera_id := p_camera_id;
    e.start_ns := p_start_ns; e.end_ns := p_end_ns; e.detail := coalesce(p_detail, '{}');
    e.hash := sha256(e.previous || audit_line(e));
    INSERT INTO audit_entry SELECT e.*;
    RETURN e.seq;
END $$;
REVOKE ALL ON FUNCTION audit_append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append TO tallenne_custodian, tallenne_serve, tallenne_index;

-- Whether this session may do this to this camera now. action: 'look' or 'export'; any other is denied. A session that was
-- idle for 15 minutes or is 12 hours old may see no footage; an export needs a second factor given within 5 minutes.
CREATE FUNCTION staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM staff_session s
        JOIN staff u USING (staff_id)
        JOIN staff_grant g USING (staff_id)
        JOIN camera c ON c.camera_id = p_camera_id
        WHERE s.session_id = p_session_id AND s.ended_ns IS NULL AND s.second_factor AND u.disabled_ns IS NULL
          AND p_now_ns - s.created_ns < 43200000000000 AND p_now_ns - s.seen_ns < 900000000000
          AND (p_action IN ('look', 'preview') OR p_now_ns - s.stepped_up_ns < 300000000000)
          AND (g.site_id IS NULL OR g.site_id = c.site_id) AND (g.camera_id IS NULL OR g.camera_id = c.camera_id)
          AND g.role = ANY (CASE p_action WHEN 'look' THEN ARRAY['viewer', 'exporter']
                                          WHEN 'export' THEN ARRAY['exporter']
                                          WHEN 'preview' THEN ARRAY['exporter', 'admin']
                                          WHEN 'case' THEN ARRAY['exporter', 'admin']
                                          WHEN 'erase' THEN ARRAY['exporter', 'admin']
                                          WHEN 'erase_approve' THEN ARRAY['admin'] ELSE ARRAY[]::text[] END))
$$;
REVOKE ALL ON FUNCTION staff_may FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff_may TO tallenne_custodian, tallenne_serve;

-- May this session see a camera's footage of [p_start_ns, p_end_ns) in order to decide about an export? While that waits, for
-- one who may approve it, and nothing but what is asked: from the key frame before it (three minutes at most) to the end of
-- the fragment that holds its end (within a segment).
CREATE FUNCTION staff_may_preview(p_session_id uuid, p_export_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_now_ns bigint)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM footage_export x JOIN staff_session s ON s.session_id = p_session_id
        WHERE x.export_id = p_export_id AND x.state = 'approval' AND p_camera_id = ANY (x.camera_ids)
          AND p_start_ns >= x.start_ns - 180000000000 AND p_end_ns <= x.end_ns + 120000000000
          AND p_start_ns < x.end_ns AND p_end_ns > x.start_ns
          AND NOT EXISTS (SELECT FROM staff_in_one_hand(s.staff_id, p_now_ns) AS hand (staff_id) WHERE hand.staff_id = x.staff_id)
          AND (SELECT bool_and(staff_may(p_session_id, 'preview', each.camera_id, p_now_ns)) FROM unnest(x.camera_ids) AS each (camera_id)))
$$;
REVOKE ALL ON FUNCTION staff_may_preview FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff_may_preview TO tallenne_custodian, tallenne_serve;

-- Keeps session, account and grants as they are until the transaction ends: what staff_may() says afterwards still holds when
-- the decision commits. A sign-out or a withdrawal of a role waits for it meanwhile.
CREATE FUNCTION lock_asker(p_session_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
BEGIN
    PERFORM FROM staff_session WHERE session_id = p_session_id FOR SHARE;
    PERFORM FROM staff u JOIN staff_session s USING (staff_id) WHERE s.session_id = p_session_id FOR SHARE OF u;
    PERFORM FROM staff_grant g JOIN staff_session s USING (staff_id) WHERE s.session_id = p_session_id FOR SHARE OF g;
END $$;
REVOKE ALL ON FUNCTION lock_asker FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_asker TO tallenne_custodian;

GRANT SELECT, INSERT, UPDATE ON staff, recovery_code, staff_session TO tallenne_serve;
GRANT SELECT, INSERT, DELETE ON staff_grant TO tallenne_serve;
GRANT SELECT, INSERT ON staff_handover TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON staff_wall TO tallenne_serve;
GRANT DELETE ON recovery_code TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_throttle TO tallenne_serve;
GRANT SELECT, INSERT ON purpose TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE ON footage_export TO tallenne_serve;
GRANT SELECT ON export_step TO tallenne_serve;
GRANT SELECT ON purpose, staff_session TO tallenne_custodian;
GRANT SELECT ON audit_entry TO tallenne_custodian, tallenne_serve;


-- == Register
-- What the gym knows of its members beside name and number. The indexer, which reads doors' messages, may read none of it:
-- of a birth date it learns whether the member is a minor.

-- Each value with its source, and for how long it stood: the present value and the history are one table.
CREATE TABLE member_field (
    member_id uuid NOT NULL REFERENCES member,
    field text NOT NULL CHECK (field IN ('name', 'birth_date', 'email', 'phone', 'address', 'other', 'membership',
        'member_from', 'member_to', 'offers_email', 'offers_sms', 'offers_post')),
    value text NOT NULL,                    -- empty: removed. Days as 2026-01-31; offers_...: "no" is an opt-out
    source text NOT NULL CHECK (source IN ('member', 'staff', 'import', 'outside')),
    staff_id uuid REFERENCES staff,         -- who entered it, with the source "staff"
    from_ns bigint NOT NULL,
    to_ns bigint NOT NULL DEFAULT 9223372036854775807 CHECK (to_ns >= from_ns),
    CHECK (source = 'staff' OR staff_id IS NULL)
);
CREATE INDEX member_field_member ON member_field (member_id, field, from_ns);
CREATE UNIQUE INDEX member_field_present ON member_field (member_id, field) WHERE to_ns = 9223372036854775807;
CREATE INDEX member_field_email ON member_field (lower(value)) WHERE field = 'email' AND to_ns = 9223372036854775807;
CREATE INDEX member_field_past ON member_field (to_ns) WHERE to_ns < 9223372036854775807;

CREATE TABLE member_consent (
    consent_id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES member,
    purpose text NOT NULL,                  -- what the member consented to, in the words that they read
    how text NOT NULL CHECK (how IN ('member', 'desk', 'paper', 'outside')),
    given_ns bigint NOT NULL,
    staff_id uuid REFERENCES staff,         -- who recorded it; NULL: the member
    withdrawn_ns bigint CHECK (withdrawn_ns >= given_ns),
    withdrawn_how text CHECK (withdrawn_how IN ('member', 'desk', 'paper', 'outside')),
    withdrawn_staff_id uuid REFERENCES staff,
    CHECK ((withdrawn_ns IS NULL) = (withdrawn_how IS NULL))
);
CREATE INDEX member_consent_member ON member_consent (member_id, given_ns);

-- What of the register each role of the staff sees. No row: nothing of it. Name and number are found by all who may search.
CREATE TABLE register_right (
    role text NOT NULL CHECK (role IN ('viewer', 'exporter', 'admin')),
    field text NOT NULL,                    -- of member_field, or "consents"
    level text NOT NULL CHECK (level IN ('see', 'change')),
    PRIMARY KEY (role, field)
);
INSERT INTO register_right
SELECT 'admin', field, 'change' FROM unnest(ARRAY['name', 'birth_date', 'email', 'phone', 'address', 'other', 'membership',
    'member_from', 'member_to', 'offers_email', 'offers_sms', 'offers_post', 'consents']) AS field;

-- A change of name is kept, whoever makes it: an import by the indexer's user, or staff, who say so in the transaction.
CREATE FUNCTION keep_name() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    said_source text := coalesce(nullif(current_setting('tallenne.source', true), ''), 'import');
    said_staff uuid := nullif(current_setting('tallenne.staff', true), '')::uuid;
    at_ns bigint := now_ns();
BEGIN
    UPDATE member_field SET to_ns = greatest(from_ns, at_ns)
    WHERE member_id = NEW.member_id AND field = 'name' AND to_ns = 9223372036854775807;
    IF NOT FOUND THEN
        INSERT INTO member_field (member_id, field, value, source, from_ns, to_ns)
        SELECT NEW.member_id, 'name', OLD.name, 'import', least(created_ns, at_ns), at_ns FROM member WHERE member_id = NEW.member_id;
    END IF;
    INSERT INTO member_field (member_id, field, value, source, staff_id, from_ns)
    VALUES (NEW.member_id, 'name', NEW.name, said_source, said_staff, at_ns);
    RETURN NULL;
END $$;
CREATE TRIGGER keep_name AFTER UPDATE OF name ON member_identity FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION keep_name();

-- Under 18 on a day. Born on 29 February, one comes of age on 1 March.
CREATE FUNCTION is_minor_on(p_born date, p_day date) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT (p_born - 1 + interval '18 years' + interval '1 day')::date > p_day
$$;

-- Where the birth date is known, it alone decides who is a minor, by the day in UTC.
CREATE FUNCTION is_minor_by_birth(p_member_id uuid, p_otherwise boolean) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT coalesce((SELECT is_minor_on(value::date, (clock_timestamp() AT TIME ZONE 'UTC')::date) FROM member_field
        WHERE member_id = p_member_id AND field = 'birth_date' AND value <> '' AND to_ns = 9223372036854775807), p_otherwise)
$$;
CREATE FUNCTION minor_by_birth() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
BEGIN
    NEW.minor := is_minor_by_birth(NEW.member_id, NEW.minor);
    RETURN NEW;
END $$;
CREATE TRIGGER minor_by_birth BEFORE UPDATE OF minor ON member FOR EACH ROW EXECUTE FUNCTION minor_by_birth();
CREATE FUNCTION birth_date_given() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
BEGIN
    UPDATE member SET minor = minor WHERE member_id = NEW.member_id;
    RETURN NULL;
END $$;
CREATE TRIGGER birth_date_given AFTER INSERT ON member_field FOR EACH ROW
    WHEN (NEW.field = 'birth_date') EXECUTE FUNCTION birth_date_given();

-- Members who have come of age since. Returns how many.
CREATE FUNCTION of_age_now() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    WITH changed AS (
        UPDATE member SET minor = minor WHERE minor AND NOT is_minor_by_birth(member_id, true) RETURNING 1)
    SELECT count(*)::int FROM changed
$$;

REVOKE ALL ON FUNCTION keep_name, is_minor_on, is_minor_by_birth, minor_by_birth, birth_date_given, of_age_now FROM PUBLIC;
GRANT EXECUTE ON FUNCTION of_age_now TO tallenne_keeper;
-- What was said stays as it was said: only its end can be added.
GRANT SELECT, INSERT, UPDATE (to_ns) ON member_field TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE (withdrawn_ns, withdrawn_how, withdrawn_staff_id) ON member_consent TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON register_right TO tallenne_serve;
GRANT INSERT ON member, member_identity TO tallenne_serve;
GRANT UPDATE (name, search) ON member_identity TO tallenne_serve;


-- == Recipients
-- Who was given a member's data or footage, what of it, why and on what basis. Nothing here is changed; a row ends with
-- its period.

CREATE TABLE recipient (
    recipient_id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES member,
    kind text NOT NULL CHECK (kind IN ('police', 'authority', 'insurer', 'payment', 'member', 'other')),
    name text NOT NULL CHECK (name <> ''),
    what text NOT NULL CHECK (what <> ''),  -- which data, or which footage of what time
    why text NOT NULL CHECK (why <> ''),
    -- GDPR 6 (1); "request" is the member's own (15, 20)
    basis text NOT NULL CHECK (basis IN ('consent', 'contract', 'legal_obligation', 'vital_interests', 'legitimate_interests',
        'request')),
    consent_id uuid,                        -- of member_consent, which goes when the person is erased
    reference text NOT NULL DEFAULT '',     -- the number of the authority's request, of the order or of the claim
    receipt text NOT NULL DEFAULT '',       -- SHA-256 of what was handed over, as its recipient can compute it
    staff_id uuid NOT NULL REFERENCES staff,
    handed_ns bigint NOT NULL,
    CHECK ((basis = 'consent') = (consent_id IS NOT NULL)),
    CHECK (kind NOT IN ('police', 'authority') OR reference <> ''),
    CHECK (receipt = '' OR receipt ~ '^[0-9a-f]{64}$')
);
CREATE INDEX recipient_member ON recipient (member_id, handed_ns);
CREATE INDEX recipient_handed ON recipient (handed_ns);
GRANT SELECT, INSERT ON recipient TO tallenne_serve;


-- == Requests of members
-- What members ask for under the GDPR (12 to 21), each on a clock of one month, with the check of who asks on record.

CREATE TABLE member_request (
    request_id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES member,
    -- access: inspection and copy (15). portability (20), rectification (16), erasure (17), restriction (18), objection (21)
    kind text NOT NULL CHECK (kind IN ('access', 'portability', 'rectification', 'erasure', 'restriction', 'objection')),
    channel text NOT NULL CHECK (channel IN ('page', 'letter', 'email', 'desk')),
    -- api/requests/states.py
    state text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'checked', 'answered', 'refused', 'withdrawn')),
    details text NOT NULL DEFAULT '',       -- what the member wrote; emptied when the person is erased
    received_ns bigint NOT NULL,
    due_ns bigint NOT NULL CHECK (due_ns > received_ns),
    extended_ns bigint,
    extension text CHECK ((extension IS NULL) = (extended_ns IS NULL)),  -- why two months more (12, 3)
    identity_ns bigint,
    identity text CHECK ((identity IS NULL) = (identity_ns IS NULL)),    -- how it was checked who asks
    identity_staff_id uuid REFERENCES staff,  -- NULL: signed in on their own page
    ended_ns bigint,
    ended_by uuid REFERENCES staff,
    answer text,                            -- to the member
    erased_ns bigint,                       -- the person was erased by this request
    CHECK ((state IN ('received', 'checked')) = (ended_ns IS NULL)),
    -- No answer with personal data, and no erasure, before it was checked who asks.
    CHECK (identity_ns IS NOT NULL OR state NOT IN ('checked', 'answered') AND erased_ns IS NULL)
);
CREATE INDEX member_request_open ON member_request (due_ns) WHERE state IN ('received', 'checked');
CREATE INDEX member_request_member ON member_request (member_id, received_ns);
CREATE INDEX member_request_ended ON member_request (ended_ns) WHERE ended_ns IS NOT NULL;

-- The cards of the member who asks for a copy, once it was checked who asks. The api reads no credential otherwise.
CREATE FUNCTION cards_for_copy(p_request_id uuid) RETURNS TABLE (credential text, valid_from_ns bigint, valid_to_ns bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT c.credential, c.valid_from_ns, nullif(c.valid_to_ns, 9223372036854775807)
    FROM member_request r JOIN credential c USING (member_id)
    WHERE r.request_id = p_request_id AND r.state = 'checked' AND r.kind IN ('access', 'portability')
    ORDER BY c.valid_from_ns, c.credential
$$;

-- Cuts the link from the internal uuid to the person: identity, register, consents, cards, what they wrote. Events, tags
-- and audit keep the uuid, which stands for no person any more. By a request of that kind whose asker was checked.
CREATE FUNCTION erase_person(p_request_id uuid, p_now_ns bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    gone uuid;
BEGIN
    UPDATE member_request SET erased_ns = p_now_ns
    WHERE request_id = p_request_id AND kind = 'erasure' AND state = 'checked' AND erased_ns IS NULL
    RETURNING member_id INTO gone;
    IF gone IS NULL THEN RETURN false; END IF;
    -- An import that runs now comes first or finds no such member (indexer/members/sql/members.sql, members_lock).
    PERFORM pg_advisory_xact_lock(7411222006);
    -- What is being written about the member at this moment comes first, and goes as well; what comes later finds no link.
    PERFORM FROM member_identity WHERE member_id = gone FOR UPDATE;
    DELETE FROM member_field WHERE member_id = gone;
    DELETE FROM member_consent WHERE member_id = gone;
    DELETE FROM credential WHERE member_id = gone;
    DELETE FROM member_session WHERE member_id = gone;
    DELETE FROM member_code_request WHERE request_hash IN (SELECT request_hash FROM member_code WHERE member_id = gone);
    DELETE FROM member_identity WHERE member_id = gone;
    UPDATE member_request SET details = '', answer = CASE WHEN answer IS NOT NULL THEN '' END,
        extension = CASE WHEN extension IS NOT NULL THEN '' END,
        identity = CASE WHEN request_id = p_request_id THEN identity WHEN identity IS NOT NULL THEN '' END
    WHERE member_id = gone;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION cards_for_copy, erase_person FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cards_for_copy, erase_person TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE (state, due_ns, extended_ns, extension, identity_ns, identity, identity_staff_id,
    ended_ns, ended_by, answer) ON member_request TO tallenne_serve;


-- == Cases and holds
-- A case keeps footage past its retention, with a reason and a date for review. It ends by two people. The custodian
-- alone writes holds and the states of cases: it checks the sessions itself, and destroys what no hold keeps any more.

CREATE TABLE case_file (
    case_id uuid PRIMARY KEY,
    number text NOT NULL UNIQUE CHECK (length(number) BETWEEN 1 AND 40),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    opened_by uuid NOT NULL,                -- staff; so are the next two. A rebuilt catalogue has cases before it has staff
    opened_ns bigint NOT NULL,
    review_ns bigint NOT NULL,              -- when a person looks whether it is still needed
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closing', 'closed')),
    closing_by uuid,
    closing_ns bigint,
    closed_by uuid,
    closed_ns bigint,
    CHECK (state = 'open' OR closing_by IS NOT NULL),
    CHECK (state <> 'closed' OR closed_by IS NOT NULL AND closed_by <> closing_by)
);

-- What belongs to a case beside its holds, in the order in which it was added.
CREATE TABLE case_entry (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES case_file,
    kind text NOT NULL CHECK (kind IN ('note', 'clip', 'export')),
    staff_id uuid NOT NULL REFERENCES staff,
    added_ns bigint NOT NULL,
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 4000),
    camera_id uuid REFERENCES camera,       -- of a clip, and its span
    start_ns bigint,
    end_ns bigint,
    export_id uuid REFERENCES footage_export
);
CREATE INDEX case_entry_case ON case_entry (case_id, entry_id);

-- A span of one camera's footage that does not expire. Each held segment's data key is wrapped to the hold's own key
-- pair (wrap_record), whose private half is sealed under a keyring entry that is dropped when the hold ends.
-- 'restriction' (GDPR 18): until it is lifted, the footage is neither shown nor exported either.
CREATE TABLE hold (
    hold_id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES case_file,
    kind text NOT NULL CHECK (kind IN ('hold', 'restriction')),
    camera_id uuid NOT NULL,                -- a rebuilt catalogue knows no camera that the configuration dropped
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL CHECK (end_ns > start_ns AND end_ns - start_ns <= 86400000000000),
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    sealed_private bytea NOT NULL,
    placed_by uuid NOT NULL,                -- staff
    placed_ns bigint NOT NULL,
    ended_ns bigint,                        -- NULL: it holds
    destroyed_ns bigint                     -- NULL: the keyring's entry may still exist
);
-- A hold is at most a day long, so a search for the holds of a span looks back by one day.
CREATE INDEX hold_span ON hold (camera_id, start_ns) WHERE ended_ns IS NULL;
CREATE INDEX hold_case ON hold (case_id);
CREATE INDEX hold_ended ON hold (ended_ns) WHERE ended_ns IS NOT NULL AND destroyed_ns IS NULL;

ALTER TABLE wrap_record ADD FOREIGN KEY (hold_id) REFERENCES hold;
CREATE INDEX wrap_record_hold ON wrap_record (hold_id) WHERE hold_id IS NOT NULL;

CREATE TRIGGER journal_new AFTER INSERT ON case_file REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('opened_ns', 'title,reason');
CREATE TRIGGER journal_changed AFTER UPDATE ON case_file REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('opened_ns', 'title,reason');
CREATE TRIGGER journal_new AFTER INSERT ON hold REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('placed_ns');
CREATE TRIGGER journal_changed AFTER UPDATE ON hold REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('placed_ns');

-- Held segments whose data key is not yet wrapped to the hold's key. Their hour key does not die before it is.
CREATE TABLE hold_backlog (
    hold_id uuid NOT NULL REFERENCES hold,
    segment_id uuid NOT NULL,
    hour_key_id uuid NOT NULL,
    PRIMARY KEY (hold_id, segment_id)
);
CREATE INDEX hold_backlog_key ON hold_backlog (hour_key_id);

-- Adds a hold and lists what it has to keep, under the camera's lock: a segment that commits later finds the hold, and an
-- hour key that dies later finds the list. Returns how many segments it keeps; those that expired before are not among
-- them. TN004: the case is not open.
CREATE FUNCTION place_hold(
    p_hold_id uuid, p_case_id uuid, p_kind text, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint,
    p_public_key bytea, p_sealed_private bytea, p_staff_id uuid, p_now_ns bigint)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    kept int;
BEGIN
    PERFORM FROM case_file WHERE case_id = p_case_id AND state = 'open' FOR SHARE;
    IF NOT FOUND THEN RAISE EXCEPTION 'case is not open' USING ERRCODE = 'TN004'; END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || p_camera_id, 0));
    INSERT INTO hold VALUES (
        p_hold_id, p_case_id, p_kind, p_camera_id, p_start_ns, p_end_ns, p_public_key, p_sealed_private,
        p_staff_id, p_now_ns);
    INSERT INTO hold_backlog
    SELECT p_hold_id, segment_id, hour_key_id FROM segment
    WHERE camera_id = p_camera_id AND state IN ('live', 'contested')
      AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns;
    GET DIAGNOSTICS kept = ROW_COUNT;
    RETURN kept;
END $$;

-- Called for each segment that commits: holds apply to footage that arrives late.
CREATE FUNCTION hold_segment(
    p_segment_id uuid, p_camera_id uuid, p_hour_key_id uuid, p_start_ns bigint, p_end_ns bigint)
RETURNS void LANGUAGE sql SET search_path = tallenne, pg_temp AS $$
    INSERT INTO hold_backlog
    SELECT hold_id, p_segment_id, p_hour_key_id FROM hold
    WHERE camera_id = p_camera_id AND ended_ns IS NULL
      AND start_ns > p_start_ns - 86400000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns
      -- A row that is restored: it was wrapped before, and its hour key may be dead.
      AND NOT EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = p_segment_id AND w.hold_id = hold.hold_id)
    ON CONFLICT DO NOTHING
$$;

-- Ends a hold. Segments whose hour key is dead and that no other hold keeps expire at once: they are 'expiring', and their
-- hour's entry in expired_key is open again, so that a certificate states it and the keeper removes them. Returns how
-- many, NULL when the hold has ended before.
CREATE FUNCTION end_hold(p_hold_id uuid, p_now_ns bigint)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    h record;
    expired int;
BEGIN
    SELECT * INTO h FROM hold WHERE hold_id = p_hold_id;
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || h.camera_id, 0));
    UPDATE hold SET ended_ns = p_now_ns WHERE hold_id = p_hold_id AND ended_ns IS NULL;
    IF NOT FOUND THEN RETURN NULL; END IF;
    DELETE FROM hold_backlog WHERE hold_id = p_hold_id;
    DELETE FROM wrap_record WHERE hold_id = p_hold_id;
    WITH over AS (
        UPDATE segment s SET state = 'expiring'
        WHERE s.camera_id = h.camera_id AND s.state IN ('live', 'contested', 'shadow')
          AND s.start_ns > h.start_ns - 120000000000 AND s.start_ns < h.end_ns AND s.end_ns > h.start_ns
          AND EXISTS (SELECT FROM expired_key e WHERE e.hour_key_id = s.hour_key_id)
          AND NOT EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = s.segment_id)
        RETURNING s.hour_key_id, s.size_bytes, s.start_ns, s.end_ns
    ), hours AS (
        SELECT hour_key_id, count(*) AS segments, sum(size_bytes) AS size_bytes, min(start_ns) AS first_ns,
               max(end_ns) AS last_ns
        FROM over GROUP BY hour_key_id
    ), opened AS (
        UPDATE expired_key e
        SET certificate = NULL, removed_ns = NULL, expired_ns = p_now_ns, segments = n.segments,
            size_bytes = n.size_bytes, first_ns = n.first_ns, last_ns = n.last_ns
        FROM hours n WHERE e.hour_key_id = n.hour_key_id
    )
    SELECT coalesce(sum(segments), 0) INTO expired FROM hours;
    RETURN expired;
END $$;

REVOKE ALL ON FUNCTION place_hold, hold_segment, end_hold FROM PUBLIC;
GRANT EXECUTE ON FUNCTION place_hold, end_hold TO tallenne_custodian;
GRANT SELECT ON case_file, case_entry TO tallenne_custodian, tallenne_serve;
GRANT INSERT ON case_entry TO tallenne_serve;
GRANT INSERT (case_id, number, title, reason, opened_by, opened_ns, review_ns), UPDATE (title, reason, review_ns)
    ON case_file TO tallenne_serve;
GRANT UPDATE (state, closing_by, closing_ns, closed_by, closed_ns) ON case_file TO tallenne_custodian;
GRANT SELECT, UPDATE (destroyed_ns) ON hold TO tallenne_custodian;
GRANT SELECT (hold_id, case_id, kind, camera_id, start_ns, end_ns, placed_by, placed_ns, ended_ns) ON hold TO tallenne_serve;
GRANT SELECT, DELETE ON hold_backlog TO tallenne_custodian;
GRANT DELETE ON wrap_record TO tallenne_custodian;


-- == Early erasure
-- A person orders that footage ends before its hour, another approves. approve_erasure() decides, under the cameras' locks:
-- from then on nothing of it is shown. The custodian then replaces its hour keys: what else was sealed to them is wrapped
-- to a new key, the old one's row goes, and then all of the keyring's entry that ever sealed it. A certificate states it,
-- and the keeper removes objects and rows as of any dead hour key.

CREATE TABLE erasure (
    erasure_id uuid PRIMARY KEY,
    -- custodian/erasure/states.py
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'approved', 'refused', 'cancelled', 'done')),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    member_id uuid,                         -- the spans are those of this member's events; NULL: they were chosen
    camera_ids uuid[] NOT NULL CHECK (cardinality(camera_ids) BETWEEN 1 AND 10000),
    start_ns bigint[] NOT NULL CHECK (cardinality(start_ns) = cardinality(camera_ids)),
    end_ns bigint[] NOT NULL CHECK (cardinality(end_ns) = cardinality(camera_ids)),
    asked_by uuid NOT NULL,                 -- staff; so is the next. A rebuilt catalogue has no staff yet
    asked_ns bigint NOT NULL,
    decided_by uuid,
    decided_ns bigint,
    done_ns bigint,
    CONSTRAINT erasure_two_persons CHECK (
        state IN ('asked', 'cancelled') OR decided_by IS NOT NULL AND decided_by <> asked_by),
    CHECK ((state = 'done') = (done_ns IS NOT NULL))
);
CREATE INDEX erasure_asked ON erasure (asked_ns);
CREATE INDEX erasure_open ON erasure (state) WHERE state IN ('asked', 'approved');

-- Spans of approved erasures: what commits there later goes, too. At most a day long, as holds.
CREATE TABLE erasure_span (
    erasure_id uuid NOT NULL REFERENCES erasure,
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL CHECK (end_ns > start_ns AND end_ns - start_ns <= 86400000000000),
    PRIMARY KEY (camera_id, start_ns, end_ns, erasure_id)
);

-- What was erased, segment by segment, and the hour key that opened it. As long as that key is in hour_key, it has to go.
CREATE TABLE erased_segment (
    segment_id uuid PRIMARY KEY,
    erasure_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    hour_key_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    size_bytes bigint NOT NULL,
    erased_ns bigint NOT NULL
);
CREATE INDEX erased_segment_key ON erased_segment (hour_key_id);
CREATE INDEX erased_segment_erasure ON erased_segment (erasure_id);

CREATE TRIGGER journal_new AFTER INSERT ON erasure REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('asked_ns', 'reason,member_id');
CREATE TRIGGER journal_changed AFTER UPDATE ON erasure REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('asked_ns', 'reason,member_id');
CREATE TRIGGER journal_new AFTER INSERT ON erased_segment REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION journal_rows('start_ns');

-- The segments that share time with the spans, whole as they are, and are not over already. Two searches, by two indexes.
CREATE FUNCTION erasable(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[])
RETURNS TABLE (segment_id uuid, camera_id uuid, hour_key_id uuid, start_ns bigint, end_ns bigint, size_bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT DISTINCT g.segment_id, g.camera_id, g.hour_key_id, g.start_ns, g.end_ns, g.size_bytes
    FROM unnest(p_camera_ids, p_start_ns, p_end_ns) AS s (camera_id, start_ns, end_ns)
    CROSS JOIN LATERAL (
        SELECT f.* FROM segment f
        WHERE f.camera_id = s.camera_id AND f.state IN ('live', 'contested')
          AND f.start_ns > s.start_ns - 120000000000 AND f.start_ns < s.end_ns AND f.end_ns > s.start_ns
        UNION ALL
        SELECT f.* FROM segment f
        WHERE f.camera_id = s.camera_id AND f.state <> 'live' AND f.state IN ('shadow', 'gone')
          AND f.start_ns > s.start_ns - 120000000000 AND f.start_ns < s.end_ns AND f.end_ns > s.start_ns) AS g
$$;

-- What forbids an erasure: holds and restrictions in force that touch its spans, or a segment that would go, and clips that
-- an open case marked.
CREATE FUNCTION erasure_blocks(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[])
RETURNS TABLE (case_id uuid, number text, reason text, kind text, camera_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    WITH reach AS (
        SELECT s.camera_id, s.start_ns, s.end_ns
        FROM unnest(p_camera_ids, p_start_ns, p_end_ns) AS s (camera_id, start_ns, end_ns)
        UNION ALL
        SELECT g.camera_id, g.start_ns, g.end_ns FROM erasable(p_camera_ids, p_start_ns, p_end_ns) AS g)
    SELECT DISTINCT c.case_id, c.number, c.reason, h.kind, h.camera_id
    FROM reach r
    JOIN hold h ON h.camera_id = r.camera_id AND h.ended_ns IS NULL AND h.start_ns > r.start_ns - 86400000000000
        AND h.start_ns < r.end_ns AND h.end_ns > r.start_ns
    JOIN case_file c ON c.case_id = h.case_id
    UNION
    SELECT DISTINCT c.case_id, c.number, c.reason, e.kind, e.camera_id
    FROM reach r
    JOIN case_entry e ON e.camera_id = r.camera_id AND e.kind = 'clip'
        AND e.start_ns < r.end_ns AND e.end_ns > r.start_ns
    JOIN case_file c ON c.case_id = e.case_id AND c.state <> 'closed'
    ORDER BY 2, 4, 5
$$;

-- Takes the locks of these cameras, in the order in which all who take several do.
CREATE FUNCTION lock_cameras(p_camera_ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = tallenne, pg_temp AS $$
DECLARE
    wanted uuid;
BEGIN
    FOR wanted IN SELECT DISTINCT c FROM unnest(p_camera_ids) AS c ORDER BY c LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || wanted, 0));
    END LOOP;
END $$;

-- Carries out what approve_erasure() decided, under the locks that it holds: segments are 'expiring', their tags end, gaps
-- take their place. Again, on a database that came back from a copy: what it still shows of that time goes.
CREATE FUNCTION erase_footage(p_erasure_id uuid, p_now_ns bigint) RETURNS int
LANGUAGE plpgsql SET search_path = tallenne, pg_temp AS $$
DECLARE
    e erasure;
    found_ids uuid[];
BEGIN
    SELECT * INTO e FROM erasure WHERE erasure_id = p_erasure_id;
    INSERT INTO erasure_span
    SELECT p_erasure_id, s.camera_id, s.start_ns, s.end_ns
    FROM unnest(e.camera_ids, e.start_ns, e.end_ns) AS s (camera_id, start_ns, end_ns)
    ON CONFLICT DO NOTHING;
    WITH gone AS (
        UPDATE segment f SET state = 'expiring'
        FROM erasable(e.camera_ids, e.start_ns, e.end_ns) AS g
        WHERE f.start_ns = g.start_ns AND f.segment_id = g.segment_id
        RETURNING f.segment_id, f.camera_id, f.hour_key_id, f.start_ns, f.end_ns, f.size_bytes
    ), noted AS (
        INSERT INTO erased_segment
        SELECT segment_id, p_erasure_id, camera_id, hour_key_id, start_ns, end_ns, size_bytes, p_now_ns FROM gone
        ON CONFLICT DO NOTHING
    ), told AS (
        INSERT INTO outbox (kind, ref) SELECT 'segment', segment_id FROM gone  -- the indexer ends their tags
    )
    SELECT array_agg(segment_id) INTO found_ids FROM gone;
    PERFORM fill_gap(s.camera_id, s.start_ns, s.end_ns, 'erased') FROM erased_segment s
    WHERE s.segment_id = ANY (found_ids);
    RETURN coalesce(cardinality(found_ids), 0);
END $$;

-- The second person's word. No row: the order does not wait any more, it is the person's own or in one hand with that,
-- or something keeps the footage. Holds are placed under the cameras' locks, too: the first one decides.
CREATE FUNCTION approve_erasure(p_erasure_id uuid, p_staff_id uuid, p_now_ns bigint)
RETURNS TABLE (segments int) LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
BEGIN
    PERFORM lock_cameras(camera_ids) FROM erasure WHERE erasure_id = p_erasure_id;
    UPDATE erasure e SET state = 'approved', decided_by = p_staff_id, decided_ns = p_now_ns
    WHERE e.erasure_id = p_erasure_id AND e.state = 'asked' AND e.asked_by <> p_staff_id
      AND NOT EXISTS (
          SELECT FROM staff_in_one_hand(p_staff_id, p_now_ns) AS hand (staff_id) WHERE hand.staff_id = e.asked_by)
      AND NOT EXISTS (SELECT FROM erasure_blocks(e.camera_ids, e.start_ns, e.end_ns));
    IF NOT FOUND THEN RETURN; END IF;
    segments := erase_footage(p_erasure_id, p_now_ns);
    RETURN NEXT;
END $$;

-- Whether no recorder has footage of this hour key that is not committed yet: its hour is over, or another key is in use,
-- and until then footage and gaps leave no hole of a second. p_late_ns after the hour no recorder is waited for any more.
CREATE FUNCTION hour_key_idle(p_hour_key_id uuid, p_now_ns bigint, p_late_ns bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    k record;
    first bigint;
    past bigint;
    following bigint;
BEGIN
    SELECT camera_id, hour_ns, serial INTO k FROM hour_key WHERE hour_key_id = p_hour_key_id;
    past := k.hour_ns + 3600000000000;
    IF p_now_ns >= past + p_late_ns THEN RETURN true; END IF;
    -- Sealed to a newer key, not wrapped to it later.
    SELECT min(s.start_ns) INTO following FROM segment s JOIN hour_key n ON n.hour_key_id = s.hour_key_id
    WHERE s.camera_id = k.camera_id AND s.state IN ('live', 'contested') AND s.start_ns >= k.hour_ns AND s.start_ns < past
      AND n.serial > k.serial
      AND NOT EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = s.segment_id AND w.hour_key_id IS NOT NULL);
    IF following IS NULL AND p_now_ns < past THEN RETURN false; END IF;
    past := coalesce(following, past);
    SELECT greatest(k.hour_ns, least(
        (SELECT start_ns FROM segment WHERE camera_id = k.camera_id AND state IN ('live', 'contested')
         ORDER BY start_ns LIMIT 1),
        (SELECT min(start_ns) FROM segment WHERE camera_id = k.camera_id AND state <> 'live' AND start_ns >= k.hour_ns),
        (SELECT min(start_ns) FROM gap WHERE camera_id = k.camera_id))) INTO first;
    IF first >= past THEN RETURN true; END IF;
    RETURN NOT EXISTS (
        SELECT FROM (SELECT range_agg(int8range(known.start_ns, known.end_ns)) AS spans FROM (
            SELECT start_ns, end_ns FROM segment
            WHERE camera_id = k.camera_id AND state IN ('live', 'contested')
              AND start_ns > first - 120000000000 AND start_ns < past AND end_ns > first
            UNION ALL
            SELECT start_ns, end_ns FROM segment
            WHERE camera_id = k.camera_id AND state <> 'live' AND state <> 'refused'
              AND start_ns > first - 120000000000 AND start_ns < past AND end_ns > first
            UNION ALL
            SELECT start_ns, end_ns FROM gap
            WHERE camera_id = k.camera_id
              AND start_ns >= first - 86400000000000 AND start_ns < past AND end_ns > first) known) n
        CROSS JOIN LATERAL unnest(
            int8multirange(int8range(first, past)) - coalesce(n.spans, int8multirange())) AS piece
        WHERE upper(piece) - lower(piece) >= 1000000000);
END $$;

-- The segments that an hour key opens and that stay, with their wraps to p_new: NULL where there is none yet.
CREATE FUNCTION erasure_survivors(p_old uuid, p_new uuid)
RETURNS TABLE (segment_id uuid, header bytea, wrap bytea, wrapped boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT f.segment_id, f.header,
           (SELECT w.wrap FROM wrap_record w WHERE w.segment_id = f.segment_id AND w.hour_key_id = p_old
            ORDER BY w.wrap_id DESC LIMIT 1),
           EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = f.segment_id AND w.hour_key_id = p_new)
    FROM hour_key k
    CROSS JOIN LATERAL (
        SELECT s.segment_id, s.header FROM segment s
        WHERE s.camera_id = k.camera_id AND s.state IN ('live', 'contested') AND s.hour_key_id = p_old
          AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000
        UNION ALL
        SELECT s.segment_id, s.header FROM segment s
        WHERE s.camera_id = k.camera_id AND s.state <> 'live' AND s.state IN ('shadow', 'gone') AND s.hour_key_id = p_old
          AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000) AS f
    WHERE k.hour_key_id = p_old
$$;

-- Takes an hour key away whose erased footage is to open nowhere, once all that stays is wrapped to p_new. What does not
-- open and cannot be wrapped is named in p_broken. Returns 'replaced'; 'waits' while a recorder may still have footage of it;
-- 'more' when there is something to wrap first: it came since the custodian looked, or a hold was placed.
CREATE FUNCTION replace_erased_key(p_old uuid, p_new uuid, p_broken uuid[], p_now_ns bigint, p_late_ns bigint)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    k hour_key;
BEGIN
    SELECT * INTO k FROM hour_key WHERE hour_key_id = p_old;
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || k.camera_id, 0));
    -- As it is under the lock: another hour of expiry may have been set meanwhile.
    SELECT * INTO k FROM hour_key WHERE hour_key_id = p_old FOR UPDATE;
    IF NOT FOUND OR NOT EXISTS (SELECT FROM erased_segment WHERE hour_key_id = p_old) THEN RETURN 'replaced'; END IF;
    IF NOT hour_key_idle(p_old, p_now_ns, p_late_ns) THEN RETURN 'waits'; END IF;
    IF EXISTS (SELECT FROM hold_backlog WHERE hour_key_id = p_old)
    OR EXISTS (SELECT FROM erasure_survivors(p_old, p_new) s WHERE NOT s.wrapped AND s.segment_id <> ALL (p_broken))
    THEN
        RETURN 'more';
    END IF;
    IF p_new IS NOT NULL AND NOT EXISTS (
        SELECT FROM hour_key WHERE hour_key_id = p_new AND camera_id = k.camera_id AND hour_ns = k.hour_ns) THEN
        RETURN 'more';
    END IF;
    -- From here on the row names the key that opens the segment and that it ends with.
    UPDATE segment SET hour_key_id = p_new
    WHERE p_new IS NOT NULL AND camera_id = k.camera_id AND state IN ('live', 'contested') AND hour_key_id = p_old
      AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000;
    UPDATE segment SET hour_key_id = p_new
    WHERE p_new IS NOT NULL AND camera_id = k.camera_id AND state <> 'live' AND state IN ('shadow', 'gone')
      AND hour_key_id = p_old AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000;
    DELETE FROM wrap_record w USING erased_segment e WHERE e.hour_key_id = p_old AND w.segment_id = e.segment_id;
    DELETE FROM wrap_record WHERE hour_key_id = p_old;
    DELETE FROM hour_key WHERE hour_key_id = p_old;
    INSERT INTO expired_key
    SELECT k.hour_key_id, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns, count(*), coalesce(sum(size_bytes), 0),
           min(start_ns), max(end_ns), p_now_ns, NULL, NULL, true
    FROM erased_segment WHERE hour_key_id = p_old;
    RETURN 'replaced';
END $$;

-- After rows came back from the bucket's journal: erasures that this database did not know, or had not carried out, are
-- carried out, and hour keys that they took away go again. What then has no key left opens nowhere, and goes too.
CREATE FUNCTION replay_erasures(p_now_ns bigint) RETURNS void
LANGUAGE plpgsql SET search_path = tallenne, pg_temp AS $$
DECLARE
    e record;
    k record;
    lost uuid[];
BEGIN
    FOR e IN SELECT erasure_id, camera_ids FROM erasure WHERE state IN ('approved', 'done') ORDER BY decided_ns LOOP
        PERFORM lock_cameras(e.camera_ids);
        PERFORM erase_footage(e.erasure_id, p_now_ns);
    END LOOP;
    FOR k IN SELECT h.* FROM hour_key h JOIN expired_key x USING (hour_key_id) WHERE x.erased ORDER BY h.camera_id LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || k.camera_id, 0));
        UPDATE segment s SET hour_key_id = w.hour_key_id
        FROM (SELECT DISTINCT ON (segment_id) segment_id, hour_key_id FROM wrap_record
              WHERE hour_key_id <> k.hour_key_id ORDER BY segment_id, wrap_id DESC) AS w
        WHERE s.camera_id = k.camera_id AND s.hour_key_id = k.hour_key_id AND s.state NOT IN ('expiring', 'refused')
          AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000 AND w.segment_id = s.segment_id;
        WITH over AS (
            UPDATE segment s SET state = 'expiring'
            WHERE s.camera_id = k.camera_id AND s.hour_key_id = k.hour_key_id AND s.state NOT IN ('expiring', 'refused')
              AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000
              AND NOT EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = s.segment_id AND w.hold_id IS NOT NULL)
            RETURNING s.segment_id
        ), told AS (INSERT INTO outbox (kind, ref) SELECT 'segment', segment_id FROM over)
        SELECT array_agg(segment_id) INTO lost FROM over;
        PERFORM fill_gap(s.camera_id, s.start_ns, s.end_ns, 'lost')
        FROM segment_identity i JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
        WHERE i.segment_id = ANY (lost);
        DELETE FROM wrap_record WHERE hour_key_id = k.hour_key_id;
        DELETE FROM hour_key WHERE hour_key_id = k.hour_key_id;
        UPDATE expired_key SET removed_ns = NULL WHERE hour_key_id = k.hour_key_id;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION erasable, erasure_blocks, lock_cameras, erase_footage, approve_erasure, hour_key_idle,
    erasure_survivors, replace_erased_key, replay_erasures FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erasable, erasure_blocks TO tallenne_custodian, tallenne_serve;
GRANT EXECUTE ON FUNCTION approve_erasure, hour_key_idle, erasure_survivors, replace_erased_key TO tallenne_custodian;
GRANT SELECT, INSERT ON erasure TO tallenne_custodian;
GRANT UPDATE (state, decided_by, decided_ns, done_ns) ON erasure TO tallenne_custodian;
GRANT SELECT ON erased_segment TO tallenne_custodian;
GRANT SELECT ON erasure, erasure_span, erased_segment TO tallenne_serve;


-- == Bookmarks
-- What staff note about a moment of a camera's footage. A bookmark is nothing without that footage, and ends with it: when it
-- expires, when its case ends, when it is erased early. In a case it is listed there; the case's hold keeps the footage.

CREATE TABLE bookmark (
    bookmark_id uuid PRIMARY KEY,
    camera_id uuid NOT NULL REFERENCES camera,
    at_ns bigint NOT NULL,
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    staff_id uuid NOT NULL REFERENCES staff,
    added_ns bigint NOT NULL,
    case_id uuid REFERENCES case_file       -- NULL: it stands alone
);
CREATE INDEX bookmark_camera_time ON bookmark (camera_id, at_ns);
CREATE INDEX bookmark_case ON bookmark (case_id) WHERE case_id IS NOT NULL;

-- Whether any footage of that moment has not ended. Two searches, each by an index of this camera's own rows: one condition
-- would read two minutes of all cameras, for every bookmark at each round of the keeper.
CREATE FUNCTION has_footage(p_camera_id uuid, p_at_ns bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM segment
        WHERE camera_id = p_camera_id AND state IN ('live', 'contested')
          AND start_ns > p_at_ns - 120000000000 AND start_ns <= p_at_ns AND end_ns > p_at_ns)
    OR EXISTS (
        SELECT FROM segment
        WHERE camera_id = p_camera_id AND state <> 'live' AND state IN ('shadow', 'gone')
          AND start_ns > p_at_ns - 120000000000 AND start_ns <= p_at_ns AND end_ns > p_at_ns)
$$;

-- For each change of segments: bookmarks of what has just ended go in the same transaction.
CREATE FUNCTION end_bookmarks() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
BEGIN
    DELETE FROM bookmark m USING changed s
    WHERE s.state IN ('expiring', 'refused') AND m.camera_id = s.camera_id AND m.at_ns >= s.start_ns AND m.at_ns < s.end_ns
      AND NOT has_footage(m.camera_id, m.at_ns);
    RETURN NULL;
END $$;
CREATE TRIGGER bookmark_ends AFTER UPDATE ON segment REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION end_bookmarks();

REVOKE ALL ON FUNCTION has_footage, end_bookmarks FROM PUBLIC;
GRANT SELECT, INSERT, DELETE, UPDATE (case_id) ON bookmark TO tallenne_serve;


-- == Periods
-- Records other than footage have periods of their own, in days, in the configuration. The keeper deletes through this function only.

-- Deletes up to p_limit rows of one kind that are older than p_before_ns, with what hangs on them, and returns how many.
-- A day is the least, by this server's clock, whatever the keeper asks for.
CREATE FUNCTION delete_older(p_kind text, p_before_ns bigint, p_limit int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    before_ns bigint := least(p_before_ns, (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint - 86400000000000);
    gone uuid[];
    deleted int;
BEGIN
    CASE p_kind
    WHEN 'events' THEN
        -- By site, as the index is. An event of uncertain time counts from when it came, too.
        SELECT array_agg(event_id) INTO gone FROM (
            SELECT e.event_id FROM site CROSS JOIN LATERAL (
                SELECT event_id FROM access_event
                WHERE site_id = site.site_id AND occurred_ns < before_ns AND received_ns < before_ns
                LIMIT p_limit) AS e
            LIMIT p_limit) AS old;
        DELETE FROM tag WHERE event_id = ANY (gone);
        DELETE FROM access_event WHERE event_id = ANY (gone);
    WHEN 'exports' THEN
        DELETE FROM footage_export WHERE export_id IN (
            SELECT x.export_id FROM footage_export x
            WHERE x.created_ns < before_ns
              AND NOT EXISTS (SELECT FROM case_entry c WHERE c.export_id = x.export_id)  -- ends with its case
            ORDER BY x.created_ns LIMIT p_limit);
    WHEN 'purposes' THEN
        -- The reasons that people typed. The audit chain keeps the purpose's id.
        DELETE FROM purpose WHERE purpose_id IN (
            SELECT p.purpose_id FROM purpose p
            WHERE p.stated_ns < before_ns
              AND NOT EXISTS (SELECT FROM footage_export x WHERE x.purpose_id = p.purpose_id)
            LIMIT p_limit);
    WHEN 'sessions' THEN
        DELETE FROM staff_session WHERE session_id IN (
            SELECT s.session_id FROM staff_session s
            WHERE s.seen_ns < before_ns AND NOT EXISTS (SELECT FROM purpose p WHERE p.session_id = s.session_id)
            LIMIT p_limit);
    WHEN 'member_sessions' THEN
        DELETE FROM member_session WHERE session_id IN (
            SELECT s.session_id FROM member_session s WHERE s.seen_ns < before_ns LIMIT p_limit);
    WHEN 'throttles' THEN
        DELETE FROM sign_in_throttle WHERE last_ns < before_ns AND blocked_until_ns < before_ns;
    WHEN 'member_codes' THEN
        DELETE FROM member_code_request WHERE request_hash IN (
            SELECT r.request_hash FROM member_code_request r WHERE r.asked_ns < before_ns LIMIT p_limit);
    WHEN 'gaps' THEN
        -- A gap is of interest beside footage. Before the first hour that is kept the pages say "expired".
        DELETE FROM gap g USING (SELECT camera_id, min(hour_ns) AS first_ns FROM hour_key GROUP BY camera_id) AS k
        WHERE g.camera_id = k.camera_id AND g.end_ns < k.first_ns AND g.end_ns < before_ns;
    WHEN 'bookmarks' THEN
        -- Whatever took the footage. They have no period of their own.
        DELETE FROM bookmark WHERE bookmark_id IN (
            SELECT m.bookmark_id FROM bookmark m WHERE NOT has_footage(m.camera_id, m.at_ns) LIMIT p_limit);
    WHEN 'erasures' THEN
        SELECT array_agg(erasure_id) INTO gone FROM (
            SELECT e.erasure_id FROM erasure e WHERE e.asked_ns < before_ns AND e.state NOT IN ('asked', 'approved')
            LIMIT least(p_limit, 10)) AS old;  -- each with all of its segments
        DELETE FROM erased_segment WHERE erasure_id = ANY (gone);
        DELETE FROM erasure_span WHERE erasure_id = ANY (gone);
        DELETE FROM erasure WHERE erasure_id = ANY (gone);
    WHEN 'recipients' THEN
        DELETE FROM recipient WHERE recipient_id IN (
            SELECT h.recipient_id FROM recipient h WHERE h.handed_ns < before_ns LIMIT p_limit);
    WHEN 'requests' THEN
        DELETE FROM member_request WHERE request_id IN (
            SELECT q.request_id FROM member_request q WHERE q.ended_ns < before_ns LIMIT p_limit);
    WHEN 'member_history' THEN
        DELETE FROM member_field WHERE (member_id, field, from_ns) IN (
            SELECT f.member_id, f.field, f.from_ns FROM member_field f WHERE f.to_ns < before_ns LIMIT p_limit)
          AND to_ns < before_ns;
    WHEN 'expired_keys' THEN
        -- Where a case still keeps some of the hour, its end needs the row: end_hold().
        DELETE FROM expired_key e WHERE e.expired_ns < before_ns AND e.removed_ns IS NOT NULL AND NOT EXISTS (
            SELECT FROM segment s
            WHERE s.camera_id = e.camera_id AND s.hour_key_id = e.hour_key_id AND s.state NOT IN ('expiring', 'refused')
              AND s.start_ns >= e.hour_ns AND s.start_ns < e.hour_ns + 3600000000000);
    END CASE;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END $$;
REVOKE ALL ON FUNCTION delete_older FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delete_older TO tallenne_keeper;

-- Records of the bucket's journal that belong to an hour before the one returned are over: so many days old by the
-- keeper's clock and by the database's, and of footage that has ended, certified and removed. 0: none is, also where
-- nothing is known (the database is lost, or was just rebuilt).
CREATE FUNCTION journal_over_before(p_now_ns bigint, p_days int) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM retention_pause) OR NOT EXISTS (SELECT FROM hour_key) THEN 0 ELSE least(
        p_now_ns - p_days * 86400000000000,
        (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint - p_days * 86400000000000,
        (SELECT min(hour_ns) FROM hour_key),
        (SELECT min(hour_ns) FROM expired_key WHERE certificate IS NULL OR removed_ns IS NULL),
        (SELECT min(i.start_ns) FROM hold h JOIN wrap_record w USING (hold_id) JOIN segment_identity i USING (segment_id)
         WHERE h.ended_ns IS NULL)) END  -- what a case still keeps ends with it
$$;
REVOKE ALL ON FUNCTION journal_over_before FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal_over_before TO tallenne_keeper;
