"""What a note says: text in, values out; no clock, no disk."""
