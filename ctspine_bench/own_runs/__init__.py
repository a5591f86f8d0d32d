"""One's own runs compared, by the statistics of the board, without a submission.

`reading` takes results from folders, `methods` says which runs belong to one method and whether all are about the same
cases and references, `averages` has the means of methods over their runs, `comparing` and `ranking` put it together.
"""
