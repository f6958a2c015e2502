"""What we ask and what people say."""
