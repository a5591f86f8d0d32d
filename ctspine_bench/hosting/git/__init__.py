"""Git repositories whose commits may come from strangers: read as objects, never checked out.

`process` runs one git command, `repository` reads, `changes` compares two trees, `working_tree` commits and pushes.
"""
