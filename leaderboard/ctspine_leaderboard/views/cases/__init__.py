"""What the page of cases shows.

`outcomes` says what became of each case in each submission, `finding` lists the cases, `scores` makes the tables of one
of them, `sources` brings its volumes, `planes` and `drawing` make pictures of them, `pictures` puts these side by side.
"""
