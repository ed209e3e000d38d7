"""Members' own pages: served apart from those of staff, with sessions, rights and limits of their own."""
