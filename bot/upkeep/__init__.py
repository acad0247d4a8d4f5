"""Keeps the knowledge good: what it could not answer, what is wrong in it, and what a change would change."""
