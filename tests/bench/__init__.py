"""Benches: one module a name; `scripts/bench --list` names them. They report, they never judge."""
