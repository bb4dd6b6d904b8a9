"""Side-by-side measurements against peers; each module is a program, its results lie in results/ as JSON."""
