"""Members' requests as work: each on a clock of one month, with the check of who asks."""
