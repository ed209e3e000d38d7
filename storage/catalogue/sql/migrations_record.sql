INSERT INTO tallenne.schema_migration (version, name, checksum, applied_ns) VALUES ($1, $2, $3, $4)
