"""Templates of CloudFormation, and what their resources cost."""
