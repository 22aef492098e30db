"""What the daemon does: routines, actions with approval and undo, feeds and webhooks."""
