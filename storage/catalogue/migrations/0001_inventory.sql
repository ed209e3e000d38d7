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

-- What each role says of itself, for `tallenne status`, metrics and the pages. One row per role instance.
CREATE TABLE role_status (
    role text NOT NULL,
    instance text NOT NULL,
    updated_ns bigint NOT NULL,
    status jsonb NOT NULL,
    PRIMARY KEY (role, instance)
);

CREATE TABLE camera_health (
    camera_id uuid PRIMARY KEY REFERENCES camera,
    updated_ns bigint NOT NULL,
    health jsonb NOT NULL                   -- keys: see ingest/README.md, "Health"
);

GRANT SELECT ON schema_migration, site, camera, door, door_camera TO tallenne_ingest, tallenne_index, tallenne_custodian, tallenne_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON role_status TO tallenne_ingest, tallenne_index, tallenne_custodian, tallenne_serve;
GRANT SELECT, INSERT, UPDATE ON camera_health TO tallenne_ingest;
GRANT SELECT ON camera_health TO tallenne_serve;
