UPDATE staff SET disabled_ns = $2 WHERE staff_id = $1
