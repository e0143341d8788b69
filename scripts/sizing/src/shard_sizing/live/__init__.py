"""Where the tool meets a live stream: every AWS call it makes is in here."""
