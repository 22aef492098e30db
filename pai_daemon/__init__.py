"""Cited answers, links and search over a vault of notes, served on this machine only.

The rooms, left to right; a module imports only from rooms on its left:
errors, config, notes, vault, models, context, plugin, serve, daemon, client, cli.
"""

__version__ = "0.1.0"
