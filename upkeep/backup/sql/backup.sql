-- name: begin_base
-- $1 label. The position of the checkpoint from which the log makes the copy whole; a checkpoint at once.
SELECT pg_wal_lsn_diff(pg_backup_start($1, true), '0/0')::bigint

-- name: end_base
SELECT pg_wal_lsn_diff(lsn, '0/0')::bigint AS stop, labelfile AS label FROM pg_backup_stop(false)

-- name: mark
-- A record, and everything before it flushed, also what was committed without waiting for that.
SELECT pg_logical_emit_message(false, 'tallenne', 'backup', true)

-- name: flushed
SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint

-- name: log_place
SELECT timeline_id AS timeline, pg_size_bytes(current_setting('wal_segment_size'))::bigint AS segment_bytes,
       current_setting('server_version_num')::int / 10000 AS major
FROM pg_control_checkpoint()

-- name: slot
-- $1 name. What the server keeps of its log for the backup; "lost": it could not wait any longer.
SELECT wal_status, pg_wal_lsn_diff(restart_lsn, '0/0')::bigint AS position
FROM pg_replication_slots WHERE slot_name = $1

-- name: make_slot
-- $1 name, $2 whether it ends with this session
SELECT pg_create_physical_replication_slot($1, true, $2)

-- name: forget_slot
-- $1 name. Backups are not configured any more: the server need not keep its log for them.
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active

-- name: drop_slot
SELECT pg_drop_replication_slot($1)

-- name: advance_slot
-- $1 name, $2 position: the log before it may go
SELECT pg_replication_slot_advance($1, '0/0'::pg_lsn + $2::bigint)

-- name: any_live
SELECT EXISTS (SELECT FROM segment WHERE state = 'live')
