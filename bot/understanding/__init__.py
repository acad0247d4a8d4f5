"""What a customer's words mean: language, intent, slots, and what they refer back to."""
