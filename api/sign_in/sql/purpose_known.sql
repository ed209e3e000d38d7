SELECT true FROM purpose WHERE purpose_id = $1 AND session_id = $2
