-- $1 old ids, $2 what takes their place (a withdrawn event's own id), $3 now. Both sides go to the outbox.
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS g (event_id, by_id)),
ended AS (
    UPDATE access_event SET superseded_by = given.by_id, superseded_ns = $3 FROM given
    WHERE access_event.event_id = given.event_id AND access_event.superseded_by IS NULL
    RETURNING access_event.event_id, given.by_id),
told AS (
    INSERT INTO outbox (kind, ref)
    SELECT DISTINCT 'event', ref FROM ended, LATERAL (VALUES (ended.event_id), (ended.by_id)) AS both_sides (ref))
SELECT event_id FROM ended
