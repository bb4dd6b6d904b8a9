"""Side-by-side measurements against peers; each module is a program, and its results are JSON in results/."""
