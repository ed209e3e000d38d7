SELECT to_regclass('tallenne.schema_migration') IS NOT NULL
