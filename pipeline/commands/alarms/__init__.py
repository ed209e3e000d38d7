"""`tallenne alarms`."""
