"""What runs on a data set and how far it has come: snapshots of it, and how they are shown."""
