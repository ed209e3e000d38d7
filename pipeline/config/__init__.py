"""The configuration file: its model, its mistakes, and the settings of each role."""
