SELECT object_name FROM object_quarantine WHERE object_name = ANY ($1::text[])
