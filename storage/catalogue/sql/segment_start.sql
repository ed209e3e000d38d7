SELECT start_ns FROM segment_identity WHERE segment_id = $1
