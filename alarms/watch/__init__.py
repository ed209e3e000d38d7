"""From what the roles report and what the machine is like to the conditions that hold now."""
