"""A gym that is not there: cameras and doors for demo, tests and benchmarks."""
