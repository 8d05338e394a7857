"""The `dataset-assets` command: options, and what the terminal shows.

Here: a module for each command that is more than a few lines, and what several commands print. Not here: how
runs are started (`launch`), what is seen of them (`monitor`), the services of the UI (`ui`). `main` imports
the other modules inside its commands, since Dagster and pandas take a second that `--help` must not wait for.
"""
