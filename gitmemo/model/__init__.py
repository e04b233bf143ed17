"""The words of gitmemo as values: see section 2 of docs/architecture.md."""
