"""What a model reads and should write: lessons, reading comprehension and curated conversations as prompts with answers."""
