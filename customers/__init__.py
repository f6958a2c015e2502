"""Who the customers are, what they bought, and how often we may reach them."""
