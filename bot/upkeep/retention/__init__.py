"""How long what customers said is kept: what is old goes by itself, and what a customer wants gone goes on command."""
