"""One construct a kind of resource, each made from its declaration."""
