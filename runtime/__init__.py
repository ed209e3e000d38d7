"""What every role needs and that is no subject of its own: database, SQL, settings, status, errors, failpoints."""
