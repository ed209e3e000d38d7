DELETE FROM object_quarantine WHERE object_name = $1
