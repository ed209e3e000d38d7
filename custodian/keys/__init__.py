"""Hour keys and what they hang on: made ahead, made for a past hour, kept on disk."""
