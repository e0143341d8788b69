"""What a program reports of itself: metrics and trace context."""
