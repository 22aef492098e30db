"""Models from the Hugging Face hub: pulling them, the cache they lie in, and what may go wrong."""
