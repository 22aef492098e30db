"""What other programs remembered, taken over: ChatGPT, Claude, mem0, JSON lines, Markdown."""
