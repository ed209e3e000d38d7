INSERT INTO outbox (kind, ref) VALUES ('segment', $1)
