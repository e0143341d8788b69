"""What serves HTTP: the server, the application that the API and order status share, its document."""
