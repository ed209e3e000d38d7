"""Papers as HTML and as PDF."""
