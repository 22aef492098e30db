"""Tests of `pai_daemon.action`."""
