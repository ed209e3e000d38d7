"""What every role needs: database, SQL, settings, status, supervision, errors, failpoints."""
