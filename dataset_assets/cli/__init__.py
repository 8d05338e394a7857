"""The `dataset-assets` command."""
