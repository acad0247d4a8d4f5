"""Thresholds from the team's own data, to an error budget that the team states."""
