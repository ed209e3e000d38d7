"""H.265 as H.264, for browsers that cannot play it: on demand, in confined processes, so many at once and no more."""
