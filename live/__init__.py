"""Live pictures: what ingest receives now, shown to staff by WebRTC or over HTTPS, each look on record first."""
