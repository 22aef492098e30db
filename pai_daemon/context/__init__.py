"""The index and the questions asked of it."""
