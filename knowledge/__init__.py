"""What the office knows: approved entries, how questions find them, and the election calendar."""
