"""A simulated gym: cameras and doors for demo, tests and benchmarks."""
