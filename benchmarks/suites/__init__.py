"""The benchmarks: ingest, storage, index, clip."""
