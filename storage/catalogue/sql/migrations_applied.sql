SELECT version, checksum FROM tallenne.schema_migration
