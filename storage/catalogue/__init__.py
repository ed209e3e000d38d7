"""The catalogue: what was recorded, what is missing, which keys are published. Rows in PostgreSQL, SQL in ./sql."""

from storage.catalogue.catalogue import Catalogue, Commit, HourKeyRow

__all__ = ["Catalogue", "Commit", "HourKeyRow"]
