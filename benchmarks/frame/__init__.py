"""The one frame all benchmarks share: machine, processes, accounting, results."""
