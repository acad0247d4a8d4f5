"""How an answer is worded: approved templates, and sentences that stay with what was retrieved."""
