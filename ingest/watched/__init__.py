"""What the role `live` gets while a camera is watched: the pictures that are recorded, or a smaller stream."""
