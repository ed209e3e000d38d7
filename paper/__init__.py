"""The papers that a controller owes: made from the configuration's facts, compared with what was published."""
