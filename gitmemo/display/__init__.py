"""What people see: diffs, questions, tables. Only this package and `cli` write to a terminal."""
