"""What servers do wrong: one table of planted defects, and a mock that plays them."""
