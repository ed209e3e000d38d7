"""Keys: who a recorder is, which hour key it may use, what the keyring holds."""
