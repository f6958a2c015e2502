"""What we send: messages to an audience, dosed."""
