-- name: wrong_since
-- $1 sites, $2 doors, [$3, $4) the span, $5 how soon after another opening of the door an opening counts as close upon it.
-- How many events in force of each kind that wants a look.
SELECT count(*) FILTER (WHERE kind = 'denied') AS denied,
       count(*) FILTER (WHERE kind = 'held_open') AS held_open,
       count(*) FILTER (WHERE kind = 'forced_open') AS forced_open,
       count(*) FILTER (WHERE kind = 'granted' AND EXISTS (
           SELECT FROM access_event o
           WHERE o.door_id = e.door_id AND o.kind = 'granted' AND o.superseded_by IS NULL
             AND o.occurred_ns >= e.occurred_ns - $5::bigint AND o.occurred_ns <= e.occurred_ns
             AND (o.occurred_ns, o.event_id) < (e.occurred_ns, e.event_id))) AS close
FROM access_event e
WHERE site_id = ANY ($1::uuid[]) AND door_id = ANY ($2::uuid[]) AND occurred_ns >= $3::bigint AND occurred_ns < $4::bigint
  AND superseded_by IS NULL
