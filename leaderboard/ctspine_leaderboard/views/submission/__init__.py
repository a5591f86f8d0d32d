"""Everything about one submission: what it is, how it scores, what goes wrong, and what it was made with.

`about` is what was declared, `places` where it stands on each test set, `paper_table` its numbers in the layout of the
paper, `errors` and `cases` what goes wrong and where, `provenance` what the numbers were made with, and `cite` how to
quote it.
"""
