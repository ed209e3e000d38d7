"""Recipients of members' data and footage: who received what, why, on what basis, and which of the staff gave it."""
