"""The custodian: the only role that reads the keyring. It makes hour keys and opens segments, one by one, on record."""
