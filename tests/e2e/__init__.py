"""A person's whole way: a vault, the daemon as a process, the plugin in a browser."""
