"""How a question is read: the times, tags, tasks and names that it speaks of (D53, D65). Pure."""
