"""The health of the installation, its alarms, its quarantine and its metrics."""
