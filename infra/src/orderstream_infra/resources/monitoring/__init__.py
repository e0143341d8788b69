"""What watches the pipeline: alarms and the dashboard, both made of the declaration's values."""
