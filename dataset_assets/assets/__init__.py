"""The assets: thin. Each takes the settings, makes one call to `generate` or `tables`, and reports.

Here: what Dagster shows of the assets and what it records of their runs. Not here: pixels and tables
(`generate`, `tables`), when runs start (`automation`), how they are started on this machine (`launch`).
"""
