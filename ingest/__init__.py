"""From a camera to sealed segments."""
