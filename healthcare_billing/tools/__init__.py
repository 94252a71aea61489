"""Pure Python: no ORM, no database. Import the modules from here by their full name."""
