-- segment_start_ns names the partition.
SELECT tag.*, segment.end_ns AS segment_end_ns
FROM tag JOIN segment ON segment.start_ns = tag.segment_start_ns AND segment.segment_id = tag.segment_id
WHERE tag.event_id = ANY ($1::uuid[]) AND tag.superseded_ns IS NULL
ORDER BY tag.event_id, tag.camera_id, tag.segment_start_ns
