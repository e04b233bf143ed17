"""What a git commit takes from here: decisions about changed code, and pending calls."""
