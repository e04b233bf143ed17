"""Calls on other cores and machines: what is sent, what comes back, how results are handed out.

Not an engine: joblib, and what it drives, runs the tasks. Invariant: a worker makes a call the way
a serial program does, so its record is the same, and returns records only, never values.
"""
