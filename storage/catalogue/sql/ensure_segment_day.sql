SELECT ensure_segment_day($1)
