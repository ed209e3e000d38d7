"""What finds faces, persons and what moves in pictures."""
