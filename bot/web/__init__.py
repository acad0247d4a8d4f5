"""Where people and programs meet the bot: the customer's page and the named API endpoints."""
