"""What is kept and until when, as a report, and the certificates of what has ended, as a file."""
