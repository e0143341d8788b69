"""Commands for those who work with the goods: stock on the shelves, and parcels that leave and come back."""
