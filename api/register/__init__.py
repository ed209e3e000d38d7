"""The members' register as staff see and change it, each role as far as the operator has set."""
