"""Cases: footage that is kept past its retention for a reason, with notes and clips, until two people end it."""
