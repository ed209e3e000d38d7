-- name: delete_older
-- $1 kind, $2 before when, $3 at most how many.
SELECT delete_older($1, $2, $3)

-- name: of_age
SELECT of_age_now()
