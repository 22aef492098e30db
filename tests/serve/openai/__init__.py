"""The daemon as programs that speak OpenAI's API see it."""
