"""What is kept and until when, what an operator has to decide, and the certificates of what has ended."""
