-- name: movements
-- $1 the member, $2 sites, [$3, $4) the span. A grant counts unless the door reported within a minute, and before its next
-- grant, that it stayed shut ('not_entered'). Doors without a sensor never report that: their grants count.
SELECT e.* FROM access_event e
WHERE e.member_id = $1 AND e.site_id = ANY ($2::uuid[]) AND e.occurred_ns >= $3::bigint AND e.occurred_ns < $4::bigint
  AND e.superseded_by IS NULL AND e.kind IN ('granted', 'entered', 'exit')
  AND (e.kind <> 'granted' OR (
      SELECT next.kind FROM access_event next
      WHERE next.door_id = e.door_id AND next.event_id <> e.event_id AND next.superseded_by IS NULL
        AND next.occurred_ns >= e.occurred_ns AND next.occurred_ns < e.occurred_ns + 60000000000
        AND (next.kind = 'granted'
             OR next.kind IN ('entered', 'not_entered') AND (next.member_id = e.member_id OR next.member_id IS NULL))
      ORDER BY next.occurred_ns, next.kind DESC LIMIT 1) IS DISTINCT FROM 'not_entered')
ORDER BY e.occurred_ns, e.event_id
