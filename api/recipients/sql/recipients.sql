-- name: recipients
-- $1 member, $2 how many. The newest first.
SELECT h.*, u.display_name, c.purpose AS consent
FROM recipient h JOIN staff u USING (staff_id) LEFT JOIN member_consent c USING (consent_id)
WHERE h.member_id = $1 ORDER BY h.handed_ns DESC, h.recipient_id LIMIT $2

-- name: recipient_add
-- $1 id, $2 member, $3 kind, $4 recipient, $5 what, $6 why, $7 basis, $8 consent or NULL, $9 reference, $10 receipt, $11 staff,
-- $12 when. No row: the member is not in the register, or the consent is another's or does not hold now.
INSERT INTO recipient (recipient_id, member_id, kind, name, what, why, basis, consent_id, reference, receipt, staff_id, handed_ns)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
WHERE EXISTS (SELECT FROM member_identity WHERE member_id = $2)
  AND ($8::uuid IS NULL OR EXISTS (
      SELECT FROM member_consent WHERE consent_id = $8 AND member_id = $2 AND withdrawn_ns IS NULL FOR SHARE))
RETURNING true
