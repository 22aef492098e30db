"""Questions answered from what the index finds, with evidence for each sentence."""
