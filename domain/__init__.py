"""The words of the field, as frozen types. Nothing here does I/O or knows of asyncio."""
