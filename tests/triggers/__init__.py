"""Sources as they are in life, and their drift, with the fake encoder."""
