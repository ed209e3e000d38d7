"""What is on record of looks, and who may read it."""
