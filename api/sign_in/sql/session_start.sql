-- $1 id, $2 hash of the cookie, $3 staff, $4 CSRF token, $5 now. A sign-in with both factors counts as a step-up.
INSERT INTO staff_session (session_id, token_hash, staff_id, csrf_token, created_ns, seen_ns, stepped_up_ns, second_factor)
VALUES ($1, $2, $3, $4, $5, $5, $5, true)
