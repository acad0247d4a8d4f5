"""What is remembered: every turn with everything that decided it, in SQLite."""
