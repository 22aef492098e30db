"""Two notes side by side: what both say, what one says alone, and where they differ."""
