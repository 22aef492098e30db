"""Which links a note could have, which of its links are broken, and what hangs loose in the vault."""
