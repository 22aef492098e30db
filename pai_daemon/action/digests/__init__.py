"""What the shipped routines write when no language model does: pure, from pieces to Markdown."""
