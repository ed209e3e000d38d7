-- $1 segment ids: what the catalogue knows of them.
SELECT s.segment_id, s.camera_id, s.start_ns, s.end_ns, s.size_bytes, s.sha256, s.state, s.committed_ns
FROM segment_identity i JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
WHERE i.segment_id = ANY ($1::uuid[])
