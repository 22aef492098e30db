"""The first candidates of a search, looked at a second time and put in order by weights that were fitted."""
