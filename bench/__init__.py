"""Side-by-side measurements; ``./dev bench`` runs them, ``docs/benchmarks.md`` explains them."""
