-- name: rivals_of_shadows
-- Live rows that overlap a shadow. From the shadows, which are few, to the others by index.
SELECT s.*, EXISTS (
    SELECT FROM wrap_record w WHERE w.segment_id = s.segment_id AND w.hour_key_id = s.hour_key_id) AS rewrapped FROM (
    SELECT DISTINCT r.start_ns, r.segment_id
    FROM segment h JOIN segment r ON r.camera_id = h.camera_id AND r.state = 'live'
        AND r.start_ns > h.start_ns - 120000000000 AND r.start_ns < h.end_ns AND r.end_ns > h.start_ns
    WHERE h.state = 'shadow') AS rival
JOIN segment s ON s.start_ns = rival.start_ns AND s.segment_id = rival.segment_id

-- name: claim_rivals
-- They are verified again.
INSERT INTO segment_claim (segment_id, start_ns)
SELECT DISTINCT r.segment_id, r.start_ns
FROM segment h JOIN segment r ON r.camera_id = h.camera_id AND r.state = 'live'
    AND r.start_ns > h.start_ns - 120000000000 AND r.start_ns < h.end_ns AND r.end_ns > h.start_ns
WHERE h.state = 'shadow'
ON CONFLICT DO NOTHING

-- name: hidden_by_nothing
-- Shadows that no live row overlaps, and whose epoch is not misfiled: how many.
SELECT count(*) FROM segment h WHERE h.state = 'shadow' AND NOT EXISTS (
    SELECT FROM segment s
    WHERE s.camera_id = h.camera_id AND s.state = 'live'
      AND s.start_ns > h.start_ns - 120000000000 AND s.start_ns < h.end_ns AND s.end_ns > h.start_ns)
  AND NOT EXISTS (
    SELECT FROM footage_epoch mine JOIN footage_epoch later USING (camera_id, recorder_id)
    WHERE camera_id = h.camera_id AND recorder_id = h.recorder_id AND mine.epoch = h.epoch
      AND later.epoch > mine.epoch AND later.start_ns <= mine.start_ns)

-- name: contest_hidden
-- The same: they wait for their verification again, the highest epoch first. How many.
WITH contested AS (
    UPDATE segment h SET state = 'contested' WHERE h.state = 'shadow' AND NOT EXISTS (
        SELECT FROM segment s
        WHERE s.camera_id = h.camera_id AND s.state = 'live'
          AND s.start_ns > h.start_ns - 120000000000 AND s.start_ns < h.end_ns AND s.end_ns > h.start_ns)
      AND NOT EXISTS (
        SELECT FROM footage_epoch mine JOIN footage_epoch later USING (camera_id, recorder_id)
        WHERE camera_id = h.camera_id AND recorder_id = h.recorder_id AND mine.epoch = h.epoch
          AND later.epoch > mine.epoch AND later.start_ns <= mine.start_ns)
    RETURNING h.segment_id, h.start_ns, h.epoch),
claimed AS (
    INSERT INTO segment_claim (segment_id, start_ns)
    SELECT segment_id, start_ns FROM contested ORDER BY epoch DESC, start_ns
    ON CONFLICT DO NOTHING RETURNING 1)
SELECT count(*) FROM claimed
