"""What prints the tables of the docs: `python -m faststyle.scripts.benchmarks`."""
