"""The confined process that decodes, masks and encodes, and its parent's side."""
