"""Tests of the index and of the questions asked of it."""
