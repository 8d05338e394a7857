"""Training sets for video super-resolution, made from films."""

__version__ = "0.1.0"
