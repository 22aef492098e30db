"""What the person wants kept: facts, each a line of a note that they can read."""
