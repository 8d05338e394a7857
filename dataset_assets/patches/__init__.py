"""Patches: which format and which place, the crops, the LR stacks, and the files of a triplet.

Nothing here knows of Parquet or of Dagster, nor why a window was accepted.
"""
