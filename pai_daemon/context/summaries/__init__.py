"""Summaries of many notes: planned, read part by part, joined, and checked like answers."""
