-- $1 id, $2 staff, $3 purpose, $4 cameras, [$5, $6) asked, $7 format, $8 state, $9 minor, $10 now
INSERT INTO footage_export (export_id, staff_id, purpose_id, camera_ids, start_ns, end_ns, format, state, minor, created_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
