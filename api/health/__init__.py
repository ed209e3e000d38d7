"""How the parts of the machine are."""
