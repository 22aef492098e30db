"""What runs a model: profiles, preparation for this machine, the embedder and the generators."""
