"""Effects that happen once: guards, inbox, stored outputs, and the shared rate limit."""
