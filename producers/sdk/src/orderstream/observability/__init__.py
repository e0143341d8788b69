"""What a program tells of itself: metrics and trace context."""
