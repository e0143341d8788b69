"""The whole order pipeline at a scale: what each service is asked, and what it costs."""
