-- $1 export, $2 who, $3 now. No row: somebody else was faster, or it is one's own.
UPDATE footage_export SET approved_by = $2, approved_ns = $3, state = 'approved'
WHERE export_id = $1 AND state = 'approval' AND staff_id <> $2 RETURNING export_id
