"""The processes behind `dataset-assets ui`: code server, daemon, webserver."""
