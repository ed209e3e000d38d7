-- name: migrations_table
CREATE SCHEMA IF NOT EXISTS tallenne;
CREATE TABLE IF NOT EXISTS tallenne.schema_migration (
    version int PRIMARY KEY,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_ns bigint NOT NULL
);

-- name: migrations_exist
SELECT to_regclass('tallenne.schema_migration') IS NOT NULL

-- name: migrations_applied
SELECT version, checksum FROM tallenne.schema_migration

-- name: migrations_record
INSERT INTO tallenne.schema_migration (version, name, checksum, applied_ns) VALUES ($1, $2, $3, $4)
