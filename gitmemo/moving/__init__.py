"""Moving in: results that another tool computed become calls of ops, where that can be proven.

Not the recording of calls (`memo.bringing`). Invariant: nothing is brought that could be another
call's result; what is left out is counted, with the reason.
"""
