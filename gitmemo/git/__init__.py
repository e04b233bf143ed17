"""Everything that talks to git; nothing else in gitmemo does.

`cli` runs the program, `repository` finds things, `objects` reads trees and
commits, `hooktexts` and `hookfiles` install hooks. Invariant: importing this package imports
neither dulwich nor pygit2.
"""
