"""One small file per application: what it is made of. A new consumer is a new file here."""
