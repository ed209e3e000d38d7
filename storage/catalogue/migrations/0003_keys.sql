-- Hour keys and wrap records. Private halves are sealed under the custodian's keyring, which is never in this database.
SET search_path = tallenne;

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
