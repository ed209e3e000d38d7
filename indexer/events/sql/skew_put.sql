-- $1 doors in order, $2 skews, $3 now
INSERT INTO controller_skew (door_id, skew_ns, updated_ns)
SELECT door_id, skew_ns, $3 FROM unnest($1::uuid[], $2::bigint[]) AS measured (door_id, skew_ns)
ON CONFLICT (door_id) DO UPDATE SET skew_ns = excluded.skew_ns, updated_ns = excluded.updated_ns
