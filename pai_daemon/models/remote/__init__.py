"""Models on a server: which API it speaks, how it is asked, and what is remembered of it."""
