"""The client of the object store: any S3 server, behind the protocol ``ObjectStore``."""

from storage.store.null import NullStore
from storage.store.opening import open_store
from storage.store.protocol import Capabilities, ObjectInfo, ObjectStore, PutOutcome

__all__ = ["Capabilities", "NullStore", "ObjectInfo", "ObjectStore", "PutOutcome", "open_store"]
