-- name: recorders
SELECT recorder_id, public_key, revoked_ns FROM recorder
