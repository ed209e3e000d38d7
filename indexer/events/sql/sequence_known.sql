SELECT door.site_id, door.external_id, counted.last_seq, counted.missing::text AS missing
FROM door_sequence counted JOIN door USING (door_id)
WHERE counted.instance = $1 AND door.removed_ns IS NULL
