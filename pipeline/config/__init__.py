"""The configuration file: what it may say, what is wrong with it, and what each role is told of it."""
