"""The order domain's contracts, and the HTTP API that takes orders."""
