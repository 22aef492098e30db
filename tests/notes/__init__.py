"""What a note says, read from any bytes."""
