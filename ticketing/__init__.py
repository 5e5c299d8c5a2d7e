"""What the office owes: questions without an answer yet, their clocks, and the books about them."""
