"""Fragmented MP4 (CMAF) as the recorder writes it: init, fragments, segments; and time. Pure."""
