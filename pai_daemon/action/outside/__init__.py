"""What leaves this machine for a routine, and what comes in: feeds, pages and webhooks."""
