"""What runs a model: which there are, their files, preparing them for this machine, running them."""
