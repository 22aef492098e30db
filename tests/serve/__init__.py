"""What the daemon lets in and gives out over HTTP and on the command line."""
