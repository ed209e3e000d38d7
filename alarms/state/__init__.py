"""Raised alarms, sent and waiting messages: pure cores, and the one file that keeps them."""
