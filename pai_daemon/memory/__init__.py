"""What is known about a person, kept as notes that they can read."""
