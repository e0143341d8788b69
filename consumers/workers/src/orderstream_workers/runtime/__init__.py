"""What runs: settings, the composition root, and the processes of the pipeline."""
