-- name: samples
-- $1 how many. Live footage, anywhere.
SELECT segment_id, site_id, camera_id, start_ns, size_bytes, header FROM segment
WHERE state = 'live' ORDER BY random() LIMIT $1

-- name: still_live
-- $1 segments: those of them that are live.
SELECT i.segment_id FROM segment_identity i JOIN segment s ON s.segment_id = i.segment_id AND s.start_ns = i.start_ns
WHERE i.segment_id = ANY ($1::uuid[]) AND s.state = 'live'
