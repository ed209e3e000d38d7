-- All, in pages of $3 from behind ($1, $2) on.
SELECT segment_id, site_id, camera_id, start_ns, end_ns, size_bytes, sha256, state, committed_ns FROM segment
WHERE state = 'shadow' AND start_ns >= $1 AND (start_ns, segment_id) > ($1, $2::uuid)
ORDER BY start_ns, segment_id LIMIT $3
