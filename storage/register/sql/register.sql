-- name: present
-- $1 members, $2 fields
SELECT f.member_id, f.field, f.value, f.source, f.staff_id, u.display_name, f.from_ns, NULL::bigint AS to_ns
FROM member_field f LEFT JOIN staff u USING (staff_id)
WHERE f.member_id = ANY ($1::uuid[]) AND f.field = ANY ($2::text[]) AND f.to_ns = 9223372036854775807 AND f.value <> ''

-- name: history
-- $1 member, $2 fields, $3 how many
SELECT f.member_id, f.field, f.value, f.source, f.staff_id, u.display_name, f.from_ns, nullif(f.to_ns, 9223372036854775807) AS to_ns
FROM member_field f LEFT JOIN staff u USING (staff_id)
WHERE f.member_id = $1 AND f.field = ANY ($2::text[])
ORDER BY f.from_ns DESC, f.to_ns DESC, f.field LIMIT $3

-- name: lock
-- $1 member. Two changes of one member's values come one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('register ' || $1::text, 0))

-- name: still_there
-- $1 member. Keeps the link to the person until the transaction ends: erase_person() waits, and then takes what was written.
SELECT true FROM member_identity WHERE member_id = $1 FOR KEY SHARE

-- name: keep
-- $1 member, $2 field, $3 value, $4 source, $5 staff, $6 now. No row: that is what stands there, or nothing stands there to
-- be removed. A clock that went back does not end a value before it began.
WITH ended AS (
    UPDATE member_field SET to_ns = greatest(from_ns, $6::bigint)
    WHERE member_id = $1 AND field = $2 AND to_ns = 9223372036854775807 AND value <> $3
    RETURNING to_ns)
INSERT INTO member_field (member_id, field, value, source, staff_id, from_ns)
SELECT $1, $2, $3, $4, $5, coalesce((SELECT to_ns FROM ended), $6::bigint)
WHERE EXISTS (SELECT FROM ended)
   OR $3 <> '' AND NOT EXISTS (
       SELECT FROM member_field WHERE member_id = $1 AND field = $2 AND to_ns = 9223372036854775807)
RETURNING true

-- name: rename
-- $1 member, $2 name, $3 the name folded, $4 source, $5 staff or NULL. The trigger keep_name writes the history.
WITH said AS (
    SELECT set_config('tallenne.source', $4, true), set_config('tallenne.staff', coalesce($5, ''), true))
UPDATE member_identity SET name = $2, search = $3 FROM said WHERE member_id = $1 AND name <> $2 RETURNING true

-- name: of_email
-- $1 address, $2 how many
SELECT f.member_id FROM member_field f JOIN member_identity USING (member_id)
WHERE f.field = 'email' AND f.to_ns = 9223372036854775807 AND lower(f.value) = lower($1) ORDER BY f.member_id LIMIT $2

-- name: consents
SELECT c.consent_id, c.purpose, c.how, c.given_ns, u.display_name, c.withdrawn_ns, c.withdrawn_how
FROM member_consent c LEFT JOIN staff u USING (staff_id)
WHERE c.member_id = $1 ORDER BY c.given_ns DESC, c.consent_id

-- name: consent_give
-- $1 id, $2 member, $3 purpose, $4 how, $5 now, $6 staff or NULL
INSERT INTO member_consent (consent_id, member_id, purpose, how, given_ns, staff_id)
SELECT $1, member_id, $3, $4, $5, $6 FROM member_identity WHERE member_id = $2 FOR KEY SHARE RETURNING true

-- name: consent_withdraw
-- $1 consent, $2 member, $3 how, $4 now, $5 staff or NULL
UPDATE member_consent SET withdrawn_ns = greatest(given_ns, $4::bigint), withdrawn_how = $3, withdrawn_staff_id = $5
WHERE consent_id = $1 AND member_id = $2 AND withdrawn_ns IS NULL RETURNING true

-- name: export
-- $1 fields. Every member with the values of these fields, by number.
SELECT i.number, i.name, m.minor,
       coalesce((SELECT jsonb_object_agg(f.field, f.value) FROM member_field f
                 WHERE f.member_id = i.member_id AND f.field = ANY ($1::text[]) AND f.to_ns = 9223372036854775807), '{}')::text
           AS values
FROM member_identity i JOIN member m USING (member_id) ORDER BY i.number

-- name: by_number
-- $1 numbers
SELECT number, member_id FROM member_identity WHERE number = ANY ($1::text[])

-- name: sessions_end
-- $1 member, $2 now
UPDATE member_session SET ended_ns = greatest(created_ns, $2::bigint) WHERE member_id = $1 AND ended_ns IS NULL
