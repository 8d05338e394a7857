"""The assets: thin. Each takes the settings, makes one call to `generate` or `tables`, and reports."""
