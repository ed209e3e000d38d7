"""The end of footage: whether it may come, the keys that go, the certificate that says so."""
