-- $1 export, $2 state, $3 problem or NULL, $4 minor
UPDATE footage_export SET state = $2, problem = $3, minor = minor OR $4, manifest = NULL, signature = NULL, finished_ns = NULL
WHERE export_id = $1
