"""The object store: any S3, behind one small protocol."""

from storage.store.null import NullStore
from storage.store.opening import open_store
from storage.store.protocol import Abilities, ObjectInfo, ObjectStore, Put

__all__ = ["Abilities", "NullStore", "ObjectInfo", "ObjectStore", "Put", "open_store"]
