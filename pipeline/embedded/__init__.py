"""Real services from PyPI wheels, started where the configuration names no others. Loopback or Unix sockets only."""
