"""Early erasure: two people decide, the hour keys concerned are replaced, a certificate says so."""
