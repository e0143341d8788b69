"""What people do to a running pipeline, as typed functions that print nothing and read no command line."""
