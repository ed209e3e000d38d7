-- $1 member, $2 below this seq, $3 how many. Entries that concern the member: named in them, or seen in the footage by
-- a tag. Nothing of who looked.
SELECT a.seq, a.at_ns, a.action, p.category, c.name AS camera, a.start_ns, a.end_ns
FROM audit_entry a LEFT JOIN purpose p ON p.purpose_id = a.purpose_id LEFT JOIN camera c ON c.camera_id = a.camera_id
WHERE a.seq < $2::bigint AND a.action = ANY ($4::text[])
  AND (a.member_id = $1 OR a.detail -> 'members' ? $1::uuid::text
       OR (a.action = ANY ($5::text[]) AND EXISTS (
           SELECT FROM access_event e JOIN tag t USING (event_id)
           WHERE e.member_id = $1 AND t.camera_id = a.camera_id AND t.superseded_ns IS NULL AND e.superseded_by IS NULL
             AND t.start_ns < a.end_ns AND t.end_ns > a.start_ns)))
ORDER BY a.seq DESC LIMIT $3
