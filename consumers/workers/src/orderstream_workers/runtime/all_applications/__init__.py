"""All applications in one process, each apart from the others' failures: ``orderstream worker --all``."""
