"""Fixed pieces of work whose CPU cost is compared between revisions."""
