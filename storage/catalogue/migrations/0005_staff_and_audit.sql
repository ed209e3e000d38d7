-- Staff, sessions, grants and the audit chain. Columns of staff tables are the api's business; the custodian only asks
-- staff_may(). Audit entries are appended through audit_append() and never changed.
SET search_path = tallenne;

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
    CHECK (NOT minor OR approved_by IS NOT NULL OR state IN ('approval', 'failed')),
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
