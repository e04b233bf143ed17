"""The world: which facts are visible here, where they are kept, and how they are found."""
