"""What would ring: the pipeline's alarms, evaluated by CloudWatch's rule over what its processes write."""
