"""The desk: where people of the team take over talks from Kefu, and what they need for it."""
