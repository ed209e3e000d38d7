"""Mail to people, by the operator's mail server."""
