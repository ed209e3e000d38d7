"""Derives the present conditions from the roles' reports and the machine's state."""
