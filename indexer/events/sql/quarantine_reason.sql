UPDATE quarantine SET reason = $2 WHERE quarantine_id = $1
