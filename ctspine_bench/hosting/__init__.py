"""What organizers run, from a pull request to published results. Everything that comes from outside is hostile here.

    git                 reads a repository whose commits may come from strangers
    └ pull_requests     which files a pull request changes, and the one submission in it
    intake              downloads, unpacks and reads predictions → canonical label maps and a list of refusals,
                        `intake_record`
    scoring             predictions × references → a public record; `references` finds the latter
    ├ ledger            how many private scorings a team has left
    ├ store             the organizers' private rows
    └ disclosure        what of a private test set may be told; `suppression` has the rules for small numbers
    comment             a record → the comment in the pull request
    publishing          records of merged submissions → commits
    verifying           what can be recomputed from a record, and what of it is stale

No module here prints; `cli.submission` has a command for each step.
"""
