"""Reading films: probing, decoding by PTS, geometry, colour, and rendering crops as SDR pictures.

Nothing here knows of Dagster, of Parquet, or of why a window is wanted.
"""
