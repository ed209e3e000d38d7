-- What the migrations make. Generated: python -m tests.support.schema


CREATE SCHEMA tallenne;

CREATE FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
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

CREATE TABLE tallenne.audit_entry (
    seq bigint NOT NULL,
    at_ns bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    session_id uuid,
    purpose_id uuid,
    member_id uuid,
    camera_id uuid,
    start_ns bigint,
    end_ns bigint,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_entry_hash_check CHECK ((length(hash) = 32)),
    CONSTRAINT audit_entry_previous_check CHECK ((length(previous) = 32))
);

CREATE FUNCTION tallenne.audit_line(e tallenne.audit_entry) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT convert_to(concat_ws(E'\x1f', e.seq::text, e.at_ns::text, e.actor, e.action,
        coalesce(e.session_id::text, ''), coalesce(e.purpose_id::text, ''), coalesce(e.member_id::text, ''),
        coalesce(e.camera_id::text, ''), coalesce(e.start_ns::text, ''), coalesce(e.end_ns::text, ''),
        e.detail::text), 'UTF8')
$$;

CREATE FUNCTION tallenne.commit_segment(p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid, p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea, p_codec text, p_mime text, p_width integer, p_height integer, p_init_size integer, p_frames integer, p_recovered boolean, p_epoch bigint, p_fragment_start_ms integer[], p_fragment_offset integer[], p_fragment_size integer[], p_fragment_key boolean[], p_committed_ns bigint, p_init_sha256 bytea, p_trailer bytea) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
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

CREATE FUNCTION tallenne.cut_gaps(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
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

CREATE FUNCTION tallenne.ensure_segment_day(day_ns bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
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

CREATE FUNCTION tallenne.fill_gap(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_cause text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
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

CREATE FUNCTION tallenne.staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
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

CREATE TABLE tallenne.access_event (
    event_id uuid NOT NULL,
    dedup_key bytea NOT NULL,
    site_id uuid NOT NULL,
    door_id uuid NOT NULL,
    kind text NOT NULL,
    direction text,
    member_id uuid,
    occurred_ns bigint NOT NULL,
    received_ns bigint NOT NULL,
    uncertain boolean DEFAULT false NOT NULL,
    superseded_by uuid,
    superseded_ns bigint,
    reported_ns bigint,
    CONSTRAINT access_event_dedup_key_check CHECK ((length(dedup_key) = 32)),
    CONSTRAINT access_event_direction_check CHECK ((direction = ANY (ARRAY['in'::text, 'out'::text]))),
    CONSTRAINT access_event_kind_check CHECK ((kind = ANY (ARRAY['granted'::text, 'denied'::text, 'entered'::text, 'not_entered'::text, 'forced_open'::text, 'held_open'::text, 'exit'::text])))
);

CREATE TABLE tallenne.audit_head (
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    signed_ns bigint NOT NULL,
    signature bytea NOT NULL
);

CREATE TABLE tallenne.camera (
    camera_id uuid NOT NULL,
    site_id uuid NOT NULL,
    name text NOT NULL,
    retention_s bigint NOT NULL,
    removed_ns bigint,
    CONSTRAINT camera_retention_s_check CHECK ((retention_s > 0))
);

CREATE TABLE tallenne.camera_health (
    camera_id uuid NOT NULL,
    updated_ns bigint NOT NULL,
    health jsonb NOT NULL
);

CREATE TABLE tallenne.controller_skew (
    door_id uuid NOT NULL,
    skew_ns bigint NOT NULL,
    updated_ns bigint NOT NULL
);

CREATE TABLE tallenne.credential (
    credential text NOT NULL,
    member_id uuid NOT NULL,
    valid_from_ns bigint NOT NULL,
    valid_to_ns bigint DEFAULT '9223372036854775807'::bigint NOT NULL,
    CONSTRAINT credential_check CHECK ((valid_from_ns < valid_to_ns))
);

CREATE TABLE tallenne.door (
    door_id uuid NOT NULL,
    site_id uuid NOT NULL,
    name text NOT NULL,
    external_id text NOT NULL,
    removed_ns bigint
);

CREATE TABLE tallenne.door_camera (
    door_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    before_ns bigint NOT NULL,
    after_ns bigint NOT NULL,
    valid_from_ns bigint NOT NULL,
    valid_to_ns bigint DEFAULT '9223372036854775807'::bigint NOT NULL,
    CONSTRAINT door_camera_after_ns_check CHECK ((after_ns >= 0)),
    CONSTRAINT door_camera_before_ns_check CHECK ((before_ns >= 0)),
    CONSTRAINT door_camera_check CHECK ((valid_from_ns < valid_to_ns))
);

CREATE TABLE tallenne.door_sequence (
    door_id uuid NOT NULL,
    instance text NOT NULL,
    last_seq bigint NOT NULL,
    missing jsonb NOT NULL
);

CREATE TABLE tallenne.footage_epoch (
    camera_id uuid NOT NULL,
    recorder_id uuid NOT NULL,
    epoch bigint NOT NULL,
    start_ns bigint NOT NULL
);

CREATE TABLE tallenne.footage_export (
    export_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    purpose_id uuid NOT NULL,
    camera_ids uuid[] NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    format text NOT NULL,
    state text NOT NULL,
    minor boolean NOT NULL,
    approved_by uuid,
    approved_ns bigint,
    problem text,
    manifest bytea,
    signature bytea,
    created_ns bigint NOT NULL,
    finished_ns bigint,
    CONSTRAINT footage_export_camera_ids_check CHECK ((cardinality(camera_ids) > 0)),
    CONSTRAINT footage_export_check CHECK ((end_ns > start_ns)),
    CONSTRAINT footage_export_check1 CHECK ((approved_by <> staff_id)),
    CONSTRAINT footage_export_check2 CHECK (((state = 'ready'::text) = ((manifest IS NOT NULL) AND (signature IS NOT NULL)))),
    CONSTRAINT footage_export_format_check CHECK ((format = ANY (ARRAY['zip'::text, 'mp4'::text]))),
    CONSTRAINT footage_export_signature_check CHECK ((length(signature) = 64)),
    CONSTRAINT footage_export_state_check CHECK ((state = ANY (ARRAY['approval'::text, 'approved'::text, 'working'::text, 'ready'::text, 'failed'::text]))),
    CONSTRAINT footage_export_two_persons CHECK (((approved_by IS NOT NULL) OR (state = ANY (ARRAY['approval'::text, 'failed'::text]))))
);

CREATE TABLE tallenne.gap (
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    cause text NOT NULL,
    detail text DEFAULT ''::text NOT NULL,
    CONSTRAINT gap_check CHECK (((end_ns > start_ns) AND ((end_ns - start_ns) <= '86400000000000'::bigint)))
);

CREATE TABLE tallenne.hour_key (
    hour_key_id uuid NOT NULL,
    serial bigint NOT NULL,
    site_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    hour_ns bigint NOT NULL,
    expires_hour_ns bigint NOT NULL,
    public_key bytea NOT NULL,
    sealed_private bytea NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    signature bytea NOT NULL,
    created_ns bigint NOT NULL,
    CONSTRAINT hour_key_public_key_check CHECK ((length(public_key) = 32)),
    CONSTRAINT hour_key_signature_check CHECK ((length(signature) = 64)),
    CONSTRAINT hour_key_state_check CHECK ((state = ANY (ARRAY['active'::text, 'draining'::text, 'dead'::text])))
);

CREATE VIEW tallenne.hour_key_public AS
 SELECT hour_key_id,
    serial,
    site_id,
    camera_id,
    hour_ns,
    public_key,
    state,
    signature
   FROM tallenne.hour_key;

CREATE SEQUENCE tallenne.hour_key_serial
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE tallenne.index_secret (
    secret bytea NOT NULL,
    CONSTRAINT index_secret_secret_check CHECK ((length(secret) = 32))
);

CREATE TABLE tallenne.member (
    member_id uuid NOT NULL,
    created_ns bigint NOT NULL,
    minor boolean DEFAULT false NOT NULL
);

CREATE TABLE tallenne.member_identity (
    member_id uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    search text NOT NULL
);

CREATE TABLE tallenne.object_quarantine (
    object_name text NOT NULL,
    found_ns bigint NOT NULL,
    reason text NOT NULL
);

CREATE TABLE tallenne.outbox (
    outbox_id bigint NOT NULL,
    kind text NOT NULL,
    ref uuid NOT NULL,
    CONSTRAINT outbox_kind_check CHECK ((kind = ANY (ARRAY['segment'::text, 'event'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE tallenne.outbox ALTER COLUMN outbox_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tallenne.outbox_outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE tallenne.purpose (
    purpose_id uuid NOT NULL,
    session_id uuid NOT NULL,
    category text NOT NULL,
    reason text NOT NULL,
    stated_ns bigint NOT NULL
);

CREATE TABLE tallenne.quarantine (
    quarantine_id uuid NOT NULL,
    received_ns bigint NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    sealed_payload bytea NOT NULL,
    digest bytea NOT NULL,
    seen_count integer DEFAULT 1 NOT NULL,
    replayed_ns bigint
);

CREATE TABLE tallenne.recorder (
    recorder_id uuid NOT NULL,
    name text NOT NULL,
    public_key bytea NOT NULL,
    enrolled_ns bigint NOT NULL,
    revoked_ns bigint,
    CONSTRAINT recorder_public_key_check CHECK ((length(public_key) = 32))
);

CREATE TABLE tallenne.recovery_code (
    staff_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    used_ns bigint
);

CREATE TABLE tallenne.schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_ns bigint NOT NULL
);

CREATE TABLE tallenne.segment (
    segment_id uuid NOT NULL,
    site_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    recorder_id uuid NOT NULL,
    hour_key_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    header bytea NOT NULL,
    codec text NOT NULL,
    mime text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    init_size integer NOT NULL,
    frames integer NOT NULL,
    recovered boolean NOT NULL,
    epoch bigint DEFAULT 1 NOT NULL,
    state text DEFAULT 'live'::text NOT NULL,
    fragment_start_ms integer[],
    fragment_offset integer[],
    fragment_size integer[],
    fragment_key boolean[],
    committed_ns bigint NOT NULL,
    init_sha256 bytea,
    trailer bytea,
    CONSTRAINT segment_check CHECK (((end_ns > start_ns) AND ((end_ns - start_ns) <= '120000000000'::bigint))),
    CONSTRAINT segment_header_check CHECK ((length(header) = 210)),
    CONSTRAINT segment_init_sha256_check CHECK ((length(init_sha256) = 32)),
    CONSTRAINT segment_sha256_check CHECK ((length(sha256) = 32)),
    CONSTRAINT segment_size_bytes_check CHECK ((size_bytes >= 378)),
    CONSTRAINT segment_state_check CHECK ((state = ANY (ARRAY['live'::text, 'shadow'::text, 'expiring'::text, 'gone'::text]))),
    CONSTRAINT segment_trailer_check CHECK ((length(trailer) = 168))
)
PARTITION BY RANGE (start_ns);

CREATE TABLE tallenne.segment_identity (
    segment_id uuid NOT NULL,
    start_ns bigint NOT NULL
);

CREATE TABLE tallenne.sign_in_throttle (
    throttle_key bytea NOT NULL,
    failures integer NOT NULL,
    last_ns bigint NOT NULL,
    blocked_until_ns bigint NOT NULL
);

CREATE TABLE tallenne.site (
    site_id uuid NOT NULL,
    name text NOT NULL,
    time_zone text NOT NULL
);

CREATE TABLE tallenne.staff (
    staff_id uuid NOT NULL,
    user_name text NOT NULL,
    display_name text NOT NULL,
    password_hash text NOT NULL,
    totp_secret bytea,
    totp_last_step bigint DEFAULT 0 NOT NULL,
    language text DEFAULT ''::text NOT NULL,
    disabled_ns bigint,
    created_ns bigint NOT NULL
);

CREATE TABLE tallenne.staff_grant (
    grant_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    role text NOT NULL,
    site_id uuid,
    camera_id uuid,
    CONSTRAINT staff_grant_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'exporter'::text, 'admin'::text, 'auditor'::text])))
);

CREATE TABLE tallenne.staff_session (
    session_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    staff_id uuid NOT NULL,
    csrf_token text NOT NULL,
    created_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    stepped_up_ns bigint DEFAULT 0 NOT NULL,
    second_factor boolean DEFAULT false NOT NULL,
    ended_ns bigint
);

CREATE TABLE tallenne.tag (
    event_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    segment_start_ns bigint NOT NULL,
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    uncertain boolean DEFAULT false NOT NULL,
    superseded_ns bigint
);

CREATE TABLE tallenne.wrap_record (
    wrap_id bigint NOT NULL,
    segment_id uuid NOT NULL,
    hour_key_id uuid,
    hold_id uuid,
    wrap bytea NOT NULL,
    created_ns bigint NOT NULL,
    CONSTRAINT wrap_record_check CHECK (((hour_key_id IS NULL) <> (hold_id IS NULL))),
    CONSTRAINT wrap_record_wrap_check CHECK ((length(wrap) = 80))
);

ALTER TABLE tallenne.wrap_record ALTER COLUMN wrap_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tallenne.wrap_record_wrap_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY tallenne.access_event
    ADD CONSTRAINT access_event_dedup_key_key UNIQUE (dedup_key);

ALTER TABLE ONLY tallenne.access_event
    ADD CONSTRAINT access_event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY tallenne.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY tallenne.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY tallenne.camera_health
    ADD CONSTRAINT camera_health_pkey PRIMARY KEY (camera_id);

ALTER TABLE ONLY tallenne.camera
    ADD CONSTRAINT camera_pkey PRIMARY KEY (camera_id);

ALTER TABLE ONLY tallenne.controller_skew
    ADD CONSTRAINT controller_skew_pkey PRIMARY KEY (door_id);

ALTER TABLE ONLY tallenne.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (credential, valid_from_ns);

ALTER TABLE ONLY tallenne.door_camera
    ADD CONSTRAINT door_camera_pkey PRIMARY KEY (door_id, camera_id, valid_from_ns);

ALTER TABLE ONLY tallenne.door
    ADD CONSTRAINT door_pkey PRIMARY KEY (door_id);

ALTER TABLE ONLY tallenne.door_sequence
    ADD CONSTRAINT door_sequence_pkey PRIMARY KEY (door_id, instance);

ALTER TABLE ONLY tallenne.footage_epoch
    ADD CONSTRAINT footage_epoch_pkey PRIMARY KEY (camera_id, recorder_id, epoch);

ALTER TABLE ONLY tallenne.footage_export
    ADD CONSTRAINT footage_export_pkey PRIMARY KEY (export_id);

ALTER TABLE ONLY tallenne.gap
    ADD CONSTRAINT gap_pkey PRIMARY KEY (camera_id, start_ns, end_ns, cause);

ALTER TABLE ONLY tallenne.hour_key
    ADD CONSTRAINT hour_key_camera_id_hour_ns_serial_key UNIQUE (camera_id, hour_ns, serial);

ALTER TABLE ONLY tallenne.hour_key
    ADD CONSTRAINT hour_key_pkey PRIMARY KEY (hour_key_id);

ALTER TABLE ONLY tallenne.hour_key
    ADD CONSTRAINT hour_key_serial_key UNIQUE (serial);

ALTER TABLE ONLY tallenne.member_identity
    ADD CONSTRAINT member_identity_number_key UNIQUE (number);

ALTER TABLE ONLY tallenne.member_identity
    ADD CONSTRAINT member_identity_pkey PRIMARY KEY (member_id);

ALTER TABLE ONLY tallenne.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (member_id);

ALTER TABLE ONLY tallenne.object_quarantine
    ADD CONSTRAINT object_quarantine_pkey PRIMARY KEY (object_name);

ALTER TABLE ONLY tallenne.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (outbox_id);

ALTER TABLE ONLY tallenne.purpose
    ADD CONSTRAINT purpose_pkey PRIMARY KEY (purpose_id);

ALTER TABLE ONLY tallenne.quarantine
    ADD CONSTRAINT quarantine_digest_key UNIQUE (digest);

ALTER TABLE ONLY tallenne.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);

ALTER TABLE ONLY tallenne.recorder
    ADD CONSTRAINT recorder_pkey PRIMARY KEY (recorder_id);

ALTER TABLE ONLY tallenne.recovery_code
    ADD CONSTRAINT recovery_code_pkey PRIMARY KEY (staff_id, code_hash);

ALTER TABLE ONLY tallenne.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY tallenne.segment_identity
    ADD CONSTRAINT segment_identity_pkey PRIMARY KEY (segment_id);

ALTER TABLE ONLY tallenne.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (start_ns, segment_id);

ALTER TABLE ONLY tallenne.sign_in_throttle
    ADD CONSTRAINT sign_in_throttle_pkey PRIMARY KEY (throttle_key);

ALTER TABLE ONLY tallenne.site
    ADD CONSTRAINT site_name_key UNIQUE (name);

ALTER TABLE ONLY tallenne.site
    ADD CONSTRAINT site_pkey PRIMARY KEY (site_id);

ALTER TABLE ONLY tallenne.staff_grant
    ADD CONSTRAINT staff_grant_pkey PRIMARY KEY (grant_id);

ALTER TABLE ONLY tallenne.staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (staff_id);

ALTER TABLE ONLY tallenne.staff_session
    ADD CONSTRAINT staff_session_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY tallenne.staff_session
    ADD CONSTRAINT staff_session_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY tallenne.staff
    ADD CONSTRAINT staff_user_name_key UNIQUE (user_name);

ALTER TABLE ONLY tallenne.tag
    ADD CONSTRAINT tag_pkey PRIMARY KEY (event_id, segment_id);

ALTER TABLE ONLY tallenne.wrap_record
    ADD CONSTRAINT wrap_record_pkey PRIMARY KEY (wrap_id);

CREATE INDEX access_event_door_time ON tallenne.access_event USING btree (door_id, occurred_ns);

CREATE INDEX access_event_member_time ON tallenne.access_event USING btree (member_id, occurred_ns);

CREATE INDEX access_event_site_time ON tallenne.access_event USING btree (site_id, occurred_ns);

CREATE INDEX access_event_uncertain ON tallenne.access_event USING btree (site_id, received_ns) WHERE uncertain;

CREATE INDEX audit_entry_at ON tallenne.audit_entry USING btree (at_ns);

CREATE INDEX audit_entry_member ON tallenne.audit_entry USING btree (member_id, seq);

CREATE UNIQUE INDEX camera_name ON tallenne.camera USING btree (site_id, name) WHERE (removed_ns IS NULL);

CREATE INDEX credential_member ON tallenne.credential USING btree (member_id);

CREATE UNIQUE INDEX door_external_id ON tallenne.door USING btree (site_id, external_id) WHERE (removed_ns IS NULL);

CREATE UNIQUE INDEX door_name ON tallenne.door USING btree (site_id, name) WHERE (removed_ns IS NULL);

CREATE INDEX footage_export_created ON tallenne.footage_export USING btree (created_ns);

CREATE INDEX purpose_session ON tallenne.purpose USING btree (session_id, stated_ns);

CREATE INDEX quarantine_received ON tallenne.quarantine USING btree (received_ns, quarantine_id);

CREATE INDEX segment_camera_time ON ONLY tallenne.segment USING btree (camera_id, start_ns, end_ns) INCLUDE (segment_id) WHERE (state = 'live'::text);

CREATE INDEX staff_grant_staff ON tallenne.staff_grant USING btree (staff_id);

CREATE INDEX staff_session_staff ON tallenne.staff_session USING btree (staff_id) WHERE (ended_ns IS NULL);

CREATE INDEX tag_segment ON tallenne.tag USING btree (segment_id);

CREATE INDEX wrap_record_segment ON tallenne.wrap_record USING btree (segment_id, wrap_id DESC);

ALTER TABLE ONLY tallenne.access_event
    ADD CONSTRAINT access_event_door_id_fkey FOREIGN KEY (door_id) REFERENCES tallenne.door(door_id);

ALTER TABLE ONLY tallenne.camera_health
    ADD CONSTRAINT camera_health_camera_id_fkey FOREIGN KEY (camera_id) REFERENCES tallenne.camera(camera_id);

ALTER TABLE ONLY tallenne.camera
    ADD CONSTRAINT camera_site_id_fkey FOREIGN KEY (site_id) REFERENCES tallenne.site(site_id);

ALTER TABLE ONLY tallenne.controller_skew
    ADD CONSTRAINT controller_skew_door_id_fkey FOREIGN KEY (door_id) REFERENCES tallenne.door(door_id);

ALTER TABLE ONLY tallenne.credential
    ADD CONSTRAINT credential_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.door_camera
    ADD CONSTRAINT door_camera_camera_id_fkey FOREIGN KEY (camera_id) REFERENCES tallenne.camera(camera_id);

ALTER TABLE ONLY tallenne.door_camera
    ADD CONSTRAINT door_camera_door_id_fkey FOREIGN KEY (door_id) REFERENCES tallenne.door(door_id);

ALTER TABLE ONLY tallenne.door_sequence
    ADD CONSTRAINT door_sequence_door_id_fkey FOREIGN KEY (door_id) REFERENCES tallenne.door(door_id);

ALTER TABLE ONLY tallenne.door
    ADD CONSTRAINT door_site_id_fkey FOREIGN KEY (site_id) REFERENCES tallenne.site(site_id);

ALTER TABLE ONLY tallenne.footage_export
    ADD CONSTRAINT footage_export_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.footage_export
    ADD CONSTRAINT footage_export_purpose_id_fkey FOREIGN KEY (purpose_id) REFERENCES tallenne.purpose(purpose_id);

ALTER TABLE ONLY tallenne.footage_export
    ADD CONSTRAINT footage_export_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.member_identity
    ADD CONSTRAINT member_identity_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.purpose
    ADD CONSTRAINT purpose_session_id_fkey FOREIGN KEY (session_id) REFERENCES tallenne.staff_session(session_id);

ALTER TABLE ONLY tallenne.recovery_code
    ADD CONSTRAINT recovery_code_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.staff_grant
    ADD CONSTRAINT staff_grant_camera_id_fkey FOREIGN KEY (camera_id) REFERENCES tallenne.camera(camera_id);

ALTER TABLE ONLY tallenne.staff_grant
    ADD CONSTRAINT staff_grant_site_id_fkey FOREIGN KEY (site_id) REFERENCES tallenne.site(site_id);

ALTER TABLE ONLY tallenne.staff_grant
    ADD CONSTRAINT staff_grant_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.staff_session
    ADD CONSTRAINT staff_session_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.wrap_record
    ADD CONSTRAINT wrap_record_hour_key_id_fkey FOREIGN KEY (hour_key_id) REFERENCES tallenne.hour_key(hour_key_id);

GRANT USAGE ON SCHEMA tallenne TO tallenne_ingest;
GRANT USAGE ON SCHEMA tallenne TO tallenne_index;
GRANT USAGE ON SCHEMA tallenne TO tallenne_custodian;
GRANT USAGE ON SCHEMA tallenne TO tallenne_serve;

REVOKE ALL ON FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) TO tallenne_custodian;
GRANT ALL ON FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) TO tallenne_serve;
GRANT ALL ON FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) TO tallenne_index;

GRANT SELECT ON TABLE tallenne.audit_entry TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.audit_entry TO tallenne_serve;

REVOKE ALL ON FUNCTION tallenne.commit_segment(p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid, p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea, p_codec text, p_mime text, p_width integer, p_height integer, p_init_size integer, p_frames integer, p_recovered boolean, p_epoch bigint, p_fragment_start_ms integer[], p_fragment_offset integer[], p_fragment_size integer[], p_fragment_key boolean[], p_committed_ns bigint, p_init_sha256 bytea, p_trailer bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.commit_segment(p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid, p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea, p_codec text, p_mime text, p_width integer, p_height integer, p_init_size integer, p_frames integer, p_recovered boolean, p_epoch bigint, p_fragment_start_ms integer[], p_fragment_offset integer[], p_fragment_size integer[], p_fragment_key boolean[], p_committed_ns bigint, p_init_sha256 bytea, p_trailer bytea) TO tallenne_ingest;

REVOKE ALL ON FUNCTION tallenne.cut_gaps(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.ensure_segment_day(day_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.ensure_segment_day(day_ns bigint) TO tallenne_ingest;

REVOKE ALL ON FUNCTION tallenne.fill_gap(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_cause text) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint) TO tallenne_custodian;
GRANT ALL ON FUNCTION tallenne.staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint) TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.access_event TO tallenne_index;
GRANT SELECT ON TABLE tallenne.access_event TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.access_event TO tallenne_custodian;

GRANT SELECT,INSERT ON TABLE tallenne.audit_head TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.audit_head TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.camera TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.camera TO tallenne_index;
GRANT SELECT ON TABLE tallenne.camera TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.camera TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.camera_health TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.camera_health TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.controller_skew TO tallenne_index;
GRANT SELECT ON TABLE tallenne.controller_skew TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.credential TO tallenne_index;

GRANT SELECT ON TABLE tallenne.door TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.door TO tallenne_index;
GRANT SELECT ON TABLE tallenne.door TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.door TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.door_camera TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.door_camera TO tallenne_index;
GRANT SELECT ON TABLE tallenne.door_camera TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.door_camera TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.door_sequence TO tallenne_index;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.footage_export TO tallenne_serve;

GRANT SELECT,INSERT ON TABLE tallenne.gap TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.gap TO tallenne_index;
GRANT SELECT ON TABLE tallenne.gap TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.gap TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.hour_key TO tallenne_custodian;

GRANT SELECT ON TABLE tallenne.hour_key_public TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.hour_key_public TO tallenne_custodian;

GRANT USAGE ON SEQUENCE tallenne.hour_key_serial TO tallenne_custodian;

GRANT SELECT ON TABLE tallenne.index_secret TO tallenne_index;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.member TO tallenne_index;
GRANT SELECT ON TABLE tallenne.member TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.member_identity TO tallenne_index;
GRANT SELECT ON TABLE tallenne.member_identity TO tallenne_serve;

GRANT SELECT,INSERT ON TABLE tallenne.object_quarantine TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.object_quarantine TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.outbox TO tallenne_index;

GRANT SELECT,INSERT ON TABLE tallenne.purpose TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.purpose TO tallenne_custodian;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.quarantine TO tallenne_index;
GRANT SELECT ON TABLE tallenne.quarantine TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.recorder TO tallenne_ingest;
GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.recorder TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.recorder TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.recovery_code TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.schema_migration TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.schema_migration TO tallenne_index;
GRANT SELECT ON TABLE tallenne.schema_migration TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.schema_migration TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.segment TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.segment TO tallenne_index;
GRANT SELECT ON TABLE tallenne.segment TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.segment TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.segment_identity TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.segment_identity TO tallenne_index;
GRANT SELECT ON TABLE tallenne.segment_identity TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.segment_identity TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.sign_in_throttle TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.site TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.site TO tallenne_index;
GRANT SELECT ON TABLE tallenne.site TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.site TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.staff TO tallenne_serve;

GRANT SELECT,INSERT,DELETE ON TABLE tallenne.staff_grant TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.staff_session TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.staff_session TO tallenne_custodian;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.tag TO tallenne_index;
GRANT SELECT ON TABLE tallenne.tag TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.tag TO tallenne_custodian;

GRANT SELECT,INSERT ON TABLE tallenne.wrap_record TO tallenne_custodian;
