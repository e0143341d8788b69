"""The calls to Kinesis: their bodies, their responses, their target."""
