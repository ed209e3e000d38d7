-- $1 export, $2 manifest, $3 signature, $4 now
UPDATE footage_export SET state = 'ready', problem = NULL, manifest = $2, signature = $3, finished_ns = $4
WHERE export_id = $1
