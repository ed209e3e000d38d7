-- name: session_find
-- $1 hash of the cookie, $2 created after, $3 seen after. No row: there is no such session, or it has ended, the link to the
-- person is erased, or the register has no address of theirs any more.
SELECT s.session_id, s.member_id, s.email_hash, s.created_ns, s.seen_ns, i.name, i.number, f.value AS email
FROM member_session s JOIN member_identity i USING (member_id)
JOIN member_field f ON f.member_id = s.member_id AND f.field = 'email' AND f.to_ns = 9223372036854775807 AND f.value <> ''
WHERE s.token_hash = $1 AND s.ended_ns IS NULL AND s.created_ns > $2 AND s.seen_ns > $3

-- name: session_touch
UPDATE member_session SET seen_ns = greatest(seen_ns, $2) WHERE session_id = $1 AND ended_ns IS NULL

-- name: session_start
-- $1 id, $2 hash of the cookie, $3 member, $4 hash of the address, $5 now. No row: the link to the person was erased meanwhile.
INSERT INTO member_session (session_id, token_hash, member_id, email_hash, created_ns, seen_ns)
SELECT $1, $2, member_id, $4, $5, $5 FROM member_identity WHERE member_id = $3 FOR KEY SHARE
RETURNING true

-- name: session_end
UPDATE member_session SET ended_ns = $2 WHERE token_hash = $1 AND ended_ns IS NULL

-- name: sessions_end_others
-- $1 session that goes on with the address $3 (a hash), $2 its member, $4 now. No row: it has ended.
WITH ended AS (
    UPDATE member_session SET ended_ns = $4::bigint WHERE member_id = $2 AND session_id <> $1 AND ended_ns IS NULL)
UPDATE member_session SET email_hash = $3 WHERE session_id = $1 AND member_id = $2 AND ended_ns IS NULL RETURNING true

-- name: sessions_end_all
UPDATE member_session SET ended_ns = $2 WHERE member_id = $1 AND ended_ns IS NULL

-- name: code_request
-- $1 hash of the token, $2 hash of the address, $3 kind, $4 now
INSERT INTO member_code_request (request_hash, email_hash, kind, asked_ns) VALUES ($1, $2, $3, $4)

-- name: code_add
-- $1 hash of the token, $2 hash of token and code, $3 member. Nothing where the request was used or deleted meanwhile.
INSERT INTO member_code (request_hash, code_hash, member_id)
SELECT r.request_hash, $2::bytea, $3::uuid FROM member_code_request r WHERE r.request_hash = $1 AND r.used_ns IS NULL

-- name: code_try
-- $1 hash of the token, $2 kind, $3 asked after, $4 how many tries. Counts the try before the code is compared, and keeps the
-- row until the transaction ends: of two right codes at once the second finds the request used.
UPDATE member_code_request SET tries = tries + 1
WHERE request_hash = $1 AND kind = $2 AND used_ns IS NULL AND asked_ns > $3 AND tries < $4 RETURNING email_hash

-- name: code_owner
-- $1 hash of the token, $2 hash of token and code. The member whose code it is, with the present address.
SELECT c.member_id, coalesce(f.value, '') AS email
FROM member_code c JOIN member_identity USING (member_id)
LEFT JOIN member_field f ON f.member_id = c.member_id AND f.field = 'email' AND f.to_ns = 9223372036854775807
WHERE c.request_hash = $1 AND c.code_hash = $2

-- name: code_use
UPDATE member_code_request SET used_ns = $2 WHERE request_hash = $1 AND used_ns IS NULL RETURNING true

-- name: consent_lock
-- $1 member. Two consents of one member come one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('consents ' || $1::text, 0))

-- name: sites
SELECT site_id, name, time_zone FROM site

-- name: doors_of
-- $1 events, $2 the member whose they are. leads_out: the door reported a way out, not another entry.
SELECT e.event_id, d.name, e.kind = 'exit' OR e.direction IS NOT DISTINCT FROM 'out' AS leads_out
FROM access_event e JOIN door d USING (door_id) WHERE e.event_id = ANY ($1::uuid[]) AND e.member_id = $2

-- name: earlier
-- $1 member, $2 before
SELECT EXISTS (SELECT FROM access_event WHERE member_id = $1 AND occurred_ns < $2::bigint AND superseded_by IS NULL)
