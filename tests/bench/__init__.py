"""Benchmarks: figures, not behaviour. `deploy/bench NAME` runs one; pytest runs none of them."""
