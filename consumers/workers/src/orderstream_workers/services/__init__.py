"""The services of the order pipeline: siblings that share only events and never import each other."""
