"""Tests and benches of pai-daemon."""
