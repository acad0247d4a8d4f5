"""What the bot could not answer: turns without an answer, gathered by meaning, each with a draft to accept."""
