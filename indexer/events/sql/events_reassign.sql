-- $1 old ids, $2 new ids, $3 new keys, $4 the member
INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, direction, member_id, occurred_ns, received_ns,
                          uncertain)
SELECT given.new_id, given.dedup_key, e.site_id, e.door_id, e.kind, e.direction, $4, e.occurred_ns, e.received_ns,
       e.uncertain
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS given (event_id, new_id, dedup_key)
JOIN access_event e ON e.event_id = given.event_id
