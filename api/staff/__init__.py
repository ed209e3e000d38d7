"""Staff as administrators see them: who there is, what they may, new second factors; and one's own account."""
