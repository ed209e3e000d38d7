-- Sites, cameras, doors and their mapping: a copy of what the configuration says, kept so that rows can refer to it.
-- Roles are created by the installer (pipeline/) before the first migration:
--   tallenne_ingest, tallenne_index, tallenne_custodian, tallenne_serve. The owner runs the migrations
-- (storage/catalogue/migrate.py, which makes the schema and the list of applied migrations first).
-- Times are bigint, UTC Unix nanoseconds; spans are half-open.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA tallenne TO tallenne_ingest, tallenne_index, tallenne_custodian, tallenne_serve;
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
    -- Of the init's bytes: a clip's head is made without reading each segment's first chunk. NULL: read from the object.
    init_sha256 bytea CHECK (length(init_sha256) = 32),
    -- Signed over the segment's own core, so as good from here as from the object, and a clip takes one GET less for
    -- each segment. NULL: fetched from the object.
    trailer bytea CHECK (length(trailer) = 168),
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

-- When a recorder's epochs of a camera began. A recorder begins one at each step of its clock: an epoch that began no
-- earlier in time than a later one is misfiled, the clock having been ahead.
CREATE TABLE footage_epoch (
    camera_id uuid NOT NULL,
    recorder_id uuid NOT NULL,
    epoch bigint NOT NULL,
    start_ns bigint NOT NULL,
    PRIMARY KEY (camera_id, recorder_id, epoch)
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

-- A day's partition is made with the commit of the first segment of that day, once per process and day; only the owner
-- may create tables. Made apart and then attached: attaching takes a lock that lets readers and writers of the other days
-- go on. The lock comes first, and a query on pg_class looks: to_regclass() remembers, across the wait for the lock, that
-- the table was not there, and a session that sees the table before its maker has committed finds no partition.
CREATE FUNCTION ensure_segment_day(day_ns bigint) RETURNS void
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

-- Footage takes the place of gaps: of what claims time in [p_start_ns, p_end_ns), the rest is put back.
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

-- What of [p_start_ns, p_end_ns) no live footage and no gap accounts for becomes a gap.
CREATE FUNCTION fill_gap(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_cause text) RETURNS void
LANGUAGE sql SET search_path = tallenne, pg_temp AS $$
    INSERT INTO gap
    SELECT p_camera_id, lower(piece), upper(piece), p_cause, ''
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

-- The only way to add a segment. Ingest can add rows and cannot change one, whatever becomes of the recorder.
-- Returns 'live', 'shadow' (it overlaps live footage of the same or a higher epoch, or its epoch is misfiled) or
-- 'duplicate' (the same segment, known already). A live segment makes shadows of those of lower epochs that it overlaps;
-- the first of an epoch also of the epochs that it shows to be misfiled. A gap takes the place of a shadow, and footage
-- that of a gap, so that the tiling holds. Raises TN001 when the id is known with other contents.
CREATE FUNCTION commit_segment(
    p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid,
    p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea,
    p_codec text, p_mime text, p_width int, p_height int, p_init_size int, p_frames int, p_recovered boolean,
    p_epoch bigint, p_fragment_start_ms int[], p_fragment_offset int[], p_fragment_size int[],
    p_fragment_key boolean[], p_committed_ns bigint, p_init_sha256 bytea, p_trailer bytea
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    known_start_ns bigint;
    same boolean;
    best_epoch bigint;
    begins boolean;
    misfiled bigint[];
    loser record;
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
    INSERT INTO footage_epoch AS known VALUES (p_camera_id, p_recorder_id, p_epoch, p_start_ns)
    ON CONFLICT (camera_id, recorder_id, epoch) DO UPDATE SET start_ns = excluded.start_ns
    WHERE excluded.start_ns < known.start_ns;
    begins := FOUND;
    IF best_epoch >= p_epoch OR EXISTS (
        SELECT FROM footage_epoch this JOIN footage_epoch later USING (camera_id, recorder_id)
        WHERE camera_id = p_camera_id AND recorder_id = p_recorder_id AND this.epoch = p_epoch
          AND later.epoch > p_epoch AND later.start_ns <= this.start_ns)
    THEN
        new_state := 'shadow';
        PERFORM fill_gap(p_camera_id, p_start_ns, p_end_ns, 'clock');
    ELSE
        IF begins THEN
            SELECT array_agg(epoch) INTO misfiled FROM footage_epoch
            WHERE camera_id = p_camera_id AND recorder_id = p_recorder_id AND epoch < p_epoch AND start_ns >= p_start_ns;
        END IF;
        IF best_epoch IS NOT NULL OR misfiled IS NOT NULL THEN
            FOR loser IN
                UPDATE segment SET state = 'shadow'
                WHERE camera_id = p_camera_id AND state = 'live' AND start_ns > p_start_ns - 120000000000
                  AND (start_ns < p_end_ns AND end_ns > p_start_ns
                       OR recorder_id = p_recorder_id AND epoch = ANY (misfiled))
                RETURNING segment_id, start_ns, end_ns
            LOOP
                INSERT INTO outbox (kind, ref) VALUES ('segment', loser.segment_id);
                PERFORM fill_gap(p_camera_id, loser.start_ns, loser.end_ns, 'clock');
            END LOOP;
        END IF;
        PERFORM cut_gaps(p_camera_id, p_start_ns, p_end_ns);
    END IF;
    INSERT INTO segment_identity (segment_id, start_ns) VALUES (p_segment_id, p_start_ns);
    INSERT INTO segment VALUES (
        p_segment_id, p_site_id, p_camera_id, p_recorder_id, p_hour_key_id, p_start_ns, p_end_ns, p_size_bytes,
        p_sha256, p_header, p_codec, p_mime, p_width, p_height, p_init_size, p_frames, p_recovered, p_epoch, new_state,
        p_fragment_start_ms, p_fragment_offset, p_fragment_size, p_fragment_key, p_committed_ns, p_init_sha256,
        p_trailer);
    IF new_state = 'live' THEN
        INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
    END IF;
    RETURN new_state;
END $$;

REVOKE ALL ON FUNCTION ensure_segment_day, cut_gaps, fill_gap, commit_segment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_segment_day, commit_segment TO tallenne_ingest;


-- == Keys
-- Hour keys and wrap records. Private halves are sealed under the custodian's keyring, which is never in this database.

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
    UNIQUE (camera_id, hour_ns, serial)
);

-- What recorders read: never the private half.
CREATE VIEW hour_key_public AS
    SELECT hour_key_id, serial, site_id, camera_id, hour_ns, public_key, state, signature FROM hour_key;

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

GRANT SELECT, INSERT, UPDATE ON hour_key TO tallenne_custodian;
GRANT USAGE ON SEQUENCE hour_key_serial TO tallenne_custodian;
GRANT SELECT ON hour_key_public TO tallenne_ingest, tallenne_custodian;
GRANT SELECT, INSERT ON wrap_record TO tallenne_custodian;


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
    -- What the controller's clock said, where the event is placed otherwise: nothing arrives before it happens.
    reported_ns bigint
);
CREATE INDEX access_event_door_time ON access_event (door_id, occurred_ns);
CREATE INDEX access_event_member_time ON access_event (member_id, occurred_ns);
CREATE INDEX access_event_site_time ON access_event (site_id, occurred_ns);
-- Events of uncertain time are found by when they arrived, too.
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

-- How far a door's controller has counted its messages, where it numbers them, and which numbers never came: by
-- indexer, since each has a session of its own at the broker.
CREATE TABLE door_sequence (
    door_id uuid NOT NULL REFERENCES door,
    instance text NOT NULL,
    last_seq bigint NOT NULL,
    missing jsonb NOT NULL,                 -- [[first, past, since_ns], ...]
    PRIMARY KEY (door_id, instance)
);

-- Every event and segment passes through it: what is dead goes soon, or the tagger would wade through it.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- What could not be understood. The payload may hold personal data: it is sealed to the custodian's intake key.
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

-- The key of the keyed hashes above (dedup_key, digest), the same for all indexers, read by no other role: without it
-- a hash of a four-byte credential could be tried out.
CREATE TABLE index_secret (
    secret bytea NOT NULL CHECK (length(secret) = 32)
);
INSERT INTO index_secret
SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

GRANT SELECT, INSERT, UPDATE ON access_event, tag, controller_skew, door_sequence, quarantine TO tallenne_index;
GRANT SELECT, INSERT, UPDATE, DELETE ON member, member_identity, credential TO tallenne_index;
GRANT DELETE ON quarantine TO tallenne_index;
GRANT SELECT ON index_secret TO tallenne_index;
GRANT SELECT ON member, member_identity, access_event, tag, controller_skew, quarantine TO tallenne_serve;
GRANT SELECT ON access_event, tag TO tallenne_custodian;


-- == Staff and audit
-- Staff, sessions, grants and the audit chain. Columns of staff tables are the api's business; the custodian only asks
-- staff_may(). Audit entries are appended through audit_append() and never changed.

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

CREATE TABLE staff_session (
    session_id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,       -- SHA-256 of the cookie; the cookie itself is nowhere
    staff_id uuid NOT NULL REFERENCES staff,
    csrf_token text NOT NULL,
    created_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    stepped_up_ns bigint NOT NULL DEFAULT 0,
    second_factor boolean NOT NULL DEFAULT false,
    ended_ns bigint
);

CREATE INDEX staff_session_staff ON staff_session (staff_id) WHERE ended_ns IS NULL;

-- Guesses at passwords and codes, by a keyed hash of the user name or of the caller's address: no name is kept here.
CREATE TABLE sign_in_throttle (
    throttle_key bytea PRIMARY KEY,
    failures int NOT NULL,
    last_ns bigint NOT NULL,
    blocked_until_ns bigint NOT NULL
);

-- A purpose is stated once and kept with every look made under it.
CREATE TABLE purpose (
    purpose_id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES staff_session,
    category text NOT NULL,
    reason text NOT NULL,
    stated_ns bigint NOT NULL
);

-- An export is described and hashed here, and streamed from the sealed objects whenever it is fetched. No footage.
-- state: approval (a second person has to approve), approved, working, ready, failed.
CREATE TABLE footage_export (
    export_id uuid PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff,
    purpose_id uuid NOT NULL REFERENCES purpose,
    camera_ids uuid[] NOT NULL CHECK (cardinality(camera_ids) > 0),
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL CHECK (end_ns > start_ns),
    format text NOT NULL CHECK (format IN ('zip', 'mp4')),
    state text NOT NULL CHECK (state IN ('approval', 'approved', 'working', 'ready', 'failed')),
    minor boolean NOT NULL,
    approved_by uuid REFERENCES staff CHECK (approved_by <> staff_id),
    approved_ns bigint,
    problem text,
    manifest bytea,                         -- as signed
    signature bytea CHECK (length(signature) = 64),
    created_ns bigint NOT NULL,
    finished_ns bigint,
    -- No copy leaves without a second person's word: nothing in it is masked, and others are in the picture.
    CONSTRAINT footage_export_two_persons CHECK (approved_by IS NOT NULL OR state IN ('approval', 'failed')),
    CHECK ((state = 'ready') = (manifest IS NOT NULL AND signature IS NOT NULL))
);
CREATE INDEX footage_export_created ON footage_export (created_ns);

CREATE TABLE audit_entry (
    seq bigint PRIMARY KEY,
    at_ns bigint NOT NULL,
    actor text NOT NULL,                    -- "staff:<uuid>", "role:custodian", "operator"
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
CREATE INDEX audit_entry_at ON audit_entry (at_ns);
CREATE INDEX purpose_session ON purpose (session_id, stated_ns);

-- The custodian's signatures over the chain's head; also written outside the database.
CREATE TABLE audit_head (
    seq bigint PRIMARY KEY,
    hash bytea NOT NULL,
    signed_ns bigint NOT NULL,
    signature bytea NOT NULL
);

-- What is hashed: the entry as one line of text, fields joined by U+001F, NULL as empty; sha256(previous || line).
CREATE FUNCTION audit_line(e audit_entry) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_to(concat_ws(E'\x1f', e.seq::text, e.at_ns::text, e.actor, e.action,
        coalesce(e.session_id::text, ''), coalesce(e.purpose_id::text, ''), coalesce(e.member_id::text, ''),
        coalesce(e.camera_id::text, ''), coalesce(e.start_ns::text, ''), coalesce(e.end_ns::text, ''),
        e.detail::text), 'UTF8')
$$;

CREATE FUNCTION audit_append(
    p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid,
    p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    e audit_entry;
BEGIN
    PERFORM pg_advisory_xact_lock(7411222001);  -- one writer at a time: the chain has one head
    SELECT seq, hash INTO e.seq, e.previous FROM audit_entry ORDER BY seq DESC LIMIT 1;
    e.seq := coalesce(e.seq, 0) + 1;
    e.previous := coalesce(e.previous, decode(repeat('00', 32), 'hex'));
    e.at_ns := p_at_ns; e.actor := p_actor; e.action := p_action; e.session_id := p_session_id;
    e.purpose_id := p_purpose_id; e.member_id := p_member_id; e.camera_id := p_camera_id;
    e.start_ns := p_start_ns; e.end_ns := p_end_ns; e.detail := coalesce(p_detail, '{}');
    e.hash := sha256(e.previous || audit_line(e));
    INSERT INTO audit_entry SELECT e.*;
    RETURN e.seq;
END $$;
REVOKE ALL ON FUNCTION audit_append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append TO tallenne_custodian, tallenne_serve, tallenne_index;

-- May this session do this to this camera, now? Deny by default. action: 'look' or 'export'.
-- Idle limit 15 min and absolute limit 12 h for footage.
CREATE FUNCTION staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM staff_session s
        JOIN staff u USING (staff_id)
        JOIN staff_grant g USING (staff_id)
        JOIN camera c ON c.camera_id = p_camera_id
        WHERE s.session_id = p_session_id AND s.ended_ns IS NULL AND s.second_factor AND u.disabled_ns IS NULL
          AND p_now_ns - s.created_ns < 43200000000000 AND p_now_ns - s.seen_ns < 900000000000
          AND (p_action <> 'export' OR p_now_ns - s.stepped_up_ns < 300000000000)
          AND (g.site_id IS NULL OR g.site_id = c.site_id) AND (g.camera_id IS NULL OR g.camera_id = c.camera_id)
          AND g.role = ANY (CASE p_action WHEN 'look' THEN ARRAY['viewer', 'exporter']
                                          WHEN 'export' THEN ARRAY['exporter'] ELSE ARRAY[]::text[] END))
$$;
REVOKE ALL ON FUNCTION staff_may FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff_may TO tallenne_custodian, tallenne_serve;

GRANT SELECT, INSERT, UPDATE ON staff, recovery_code, staff_session TO tallenne_serve;
GRANT SELECT, INSERT, DELETE ON staff_grant TO tallenne_serve;
GRANT DELETE ON recovery_code TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_throttle TO tallenne_serve;
GRANT SELECT, INSERT ON purpose TO tallenne_serve;
GRANT SELECT, INSERT, UPDATE ON footage_export TO tallenne_serve;
GRANT SELECT ON purpose, staff_session TO tallenne_custodian;
GRANT SELECT ON audit_entry TO tallenne_custodian, tallenne_serve;
GRANT SELECT, INSERT ON audit_head TO tallenne_custodian;
GRANT SELECT ON audit_head TO tallenne_serve;
