-- $1 id, $2 key, $3 received_ns, $4 door, $5 kind, $6 direction, $7 member, $8 occurred_ns, $9 uncertain
INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, direction, member_id, occurred_ns, received_ns,
                          uncertain)
SELECT $1, $2, door.site_id, door.door_id, $5, $6, $7, $8, $3, $9 FROM door WHERE door.door_id = $4
RETURNING true
