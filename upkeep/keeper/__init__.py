"""The role that removes what is over: objects, rows, days. It alone may delete; it can neither seal nor open."""
