"""A delivery and who waits for it: the record's handle, its producer, its process, its event loop."""
