"""Offline: turns the log into training data and a better adapter. The chat runs without this package."""
