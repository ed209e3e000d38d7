"""What staff see: the HTTP API and the pages."""
