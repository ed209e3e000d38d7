-- name: certificates
SELECT number, kind, body, signature, issued_ns FROM certificate WHERE number > $1 ORDER BY number LIMIT $2

-- name: certificate_add
INSERT INTO certificate (number, kind, body, signature, issued_ns) VALUES ($1, $2, $3, $4, $5)

-- name: certificate_last
SELECT number, kind, body, signature, issued_ns FROM certificate ORDER BY number DESC LIMIT 1
