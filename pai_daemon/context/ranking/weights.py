def odds(x): return x.sum(1)
