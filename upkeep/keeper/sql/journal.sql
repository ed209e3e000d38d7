-- name: journal_over
-- $1 now, $2 days. Records of the journal that belong to an hour before this one are over.
SELECT journal_over_before($1, $2)
