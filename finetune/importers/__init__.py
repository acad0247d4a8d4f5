"""Reads other programs' conversations: a file of each family to talks, whole or row by row, never a traceback."""
