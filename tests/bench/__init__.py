"""Benchmarks: `python -m tests.bench NAME [--json] [--quick]`. What they mean: docs/benchmarks.md.

Every bench runs its peers in the same call, on the same input, in turns. Absolute figures belong to
one machine; ratios are what is promised.
"""
