"""Documents and vectors: reads articles, cuts passages, finds them again. Knows nothing of chats."""
