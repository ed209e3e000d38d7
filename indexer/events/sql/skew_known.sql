SELECT door.site_id, door.external_id, skew.skew_ns
FROM controller_skew skew JOIN door USING (door_id) WHERE door.removed_ns IS NULL
