"""The catalogue: rows of segments, gaps, published keys, inventory and audit in PostgreSQL."""

from storage.catalogue.catalogue import Catalogue, Commit, HourKeyRow

__all__ = ["Catalogue", "Commit", "HourKeyRow"]
