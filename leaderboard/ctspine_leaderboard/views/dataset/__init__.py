"""What the page about the data shows.

`overview` counts what is in the references of each test set, `paper` has what the paper prints about the data set,
`rules` says how results are counted, `errata` which references are known to be wrong, `taking_part` how to submit.
"""
