"""Choosing and judging windows: where they are tried, what is measured on them, and why one is rejected.

Uses `video`; knows nothing of crops, of Parquet or of Dagster.
"""
