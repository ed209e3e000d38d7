CREATE SCHEMA IF NOT EXISTS tallenne;
CREATE TABLE IF NOT EXISTS tallenne.schema_migration (
    version int PRIMARY KEY,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_ns bigint NOT NULL
);
