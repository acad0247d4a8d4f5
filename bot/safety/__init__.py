"""What is kept out: unusable input, personal data, instructions smuggled into text."""
