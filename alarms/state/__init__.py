"""What is raised, what was sent and what waits to be sent: pure cores, and the one file that keeps them."""
