"""What is said of records: their outcomes, why they were given up, and figures."""
