"""Tests against the documented protocols of other programs."""
