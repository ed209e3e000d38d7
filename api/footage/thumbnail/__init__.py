"""Small pictures of moments, decoded by a process that holds no secrets."""
