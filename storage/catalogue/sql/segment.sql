-- Asked with the start found in segment_identity, so that one partition is planned and read.
SELECT * FROM segment WHERE segment_id = $1 AND start_ns = $2
