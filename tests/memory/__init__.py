"""Tests of the memory: facts, and which of them are recalled."""
