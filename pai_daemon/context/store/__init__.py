"""The index on disk: tables of LanceDB, what is written into them, and their upkeep."""
