"""What Kinesis demands of a request, by botocore's service model and beyond it."""
