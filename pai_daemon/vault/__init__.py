"""The notes on disk: which files belong, what is there, what changed, where a link leads."""
