-- name: request_list
-- $1 whether those that have ended, $2 one request or NULL, $3 one member or NULL, $4 how many. What is due first comes first.
SELECT r.*, i.number, i.name, checker.display_name AS identity_by, ender.display_name AS ended_by_name
FROM member_request r
LEFT JOIN member_identity i USING (member_id)
LEFT JOIN staff checker ON checker.staff_id = r.identity_staff_id
LEFT JOIN staff ender ON ender.staff_id = r.ended_by
WHERE ($2::uuid IS NOT NULL OR $3::uuid IS NOT NULL OR (r.ended_ns IS NOT NULL) = $1::boolean)
  AND ($2::uuid IS NULL OR r.request_id = $2) AND ($3::uuid IS NULL OR r.member_id = $3)
ORDER BY r.ended_ns DESC NULLS FIRST, r.due_ns, r.request_id LIMIT $4

-- name: request_add
-- $1 id, $2 member, $3 kind, $4 channel, $5 details, $6 received, $7 due, $8 whether only one of a kind may be open. No row:
-- the member is not in the register, or one is open.
INSERT INTO member_request (request_id, member_id, kind, channel, details, received_ns, due_ns)
SELECT $1, member_id, $3, $4, $5, $6, $7 FROM member_identity
WHERE member_id = $2 AND NOT ($8::boolean AND EXISTS (
    SELECT FROM member_request WHERE member_id = $2 AND kind = $3 AND ended_ns IS NULL))
FOR KEY SHARE OF member_identity RETURNING true

-- name: requests_lock
-- $1 member. What one member asks on their own pages comes one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('requests ' || $1::text, 0))

-- name: request_identify
-- $1 request, $2 how, $3 staff or NULL: by their own sign-in, $4 now
UPDATE member_request SET state = 'checked', identity = $2, identity_staff_id = $3, identity_ns = $4
WHERE request_id = $1 AND state = 'received' RETURNING true

-- name: request_extend
-- $1 request, $2 why, $3 now, $4 due. Once, and before the first month is over.
UPDATE member_request SET extension = $2, extended_ns = $3, due_ns = $4
WHERE request_id = $1 AND state IN ('received', 'checked') AND extended_ns IS NULL AND due_ns > $3::bigint RETURNING true

-- name: request_answer
-- $1 request, $2 the answer, $3 staff, $4 now
UPDATE member_request SET state = 'answered', answer = $2, ended_by = $3, ended_ns = $4
WHERE request_id = $1 AND state = 'checked' RETURNING true

-- name: request_refuse
-- $1 request, $2 the reason, as the member reads it, $3 staff, $4 now. Not once it has erased the person.
UPDATE member_request SET state = 'refused', answer = $2, ended_by = $3, ended_ns = $4
WHERE request_id = $1 AND state IN ('received', 'checked') AND erased_ns IS NULL RETURNING true

-- name: request_withdraw
-- $1 request, $2 staff or NULL, $3 now. Not once it has erased the person.
UPDATE member_request SET state = 'withdrawn', ended_by = $2, ended_ns = $3
WHERE request_id = $1 AND state IN ('received', 'checked') AND erased_ns IS NULL RETURNING true

-- name: person_erase
SELECT erase_person($1, $2)

-- name: requests_due
-- $1 before when. How many open requests are due, or late.
SELECT count(*) FROM member_request WHERE state IN ('received', 'checked') AND due_ns < $1

-- name: zone
-- The time zone of the gym: of its sites the one that is first by name.
SELECT time_zone FROM site ORDER BY name LIMIT 1

-- name: cards
SELECT * FROM cards_for_copy($1)

-- name: passages
-- $1 member. Every access event of the member that is kept, with corrections left out as they are superseded.
SELECT e.occurred_ns, e.kind, e.direction, e.uncertain, d.name AS door, s.name AS site
FROM access_event e JOIN door d USING (door_id) JOIN site s ON s.site_id = e.site_id
WHERE e.member_id = $1 AND e.superseded_by IS NULL ORDER BY e.occurred_ns

-- name: recordings
-- $1 member. What was recorded while the member's credential was used at a camera's door, and is kept.
SELECT DISTINCT c.name AS camera, s.name AS site, t.start_ns, t.end_ns
FROM access_event e JOIN tag t USING (event_id) JOIN camera c ON c.camera_id = t.camera_id JOIN site s ON s.site_id = c.site_id
JOIN segment g ON g.start_ns = t.segment_start_ns AND g.segment_id = t.segment_id AND g.state = 'live'
WHERE e.member_id = $1 AND e.superseded_by IS NULL AND t.superseded_ns IS NULL
ORDER BY t.start_ns, c.name

-- name: sites
SELECT site_id, name FROM site ORDER BY name
