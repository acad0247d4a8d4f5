"""Editing the knowledge base from the console: forms to files and back, checked before they are in place, with a history."""
