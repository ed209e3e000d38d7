"""The catalogue: rows of segments, gaps, published keys, inventory and audit in PostgreSQL."""

from storage.catalogue.catalogue import Catalogue, HourKeyRow
from storage.catalogue.commit import Commit

__all__ = ["Catalogue", "Commit", "HourKeyRow"]
