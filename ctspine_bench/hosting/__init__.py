"""What organizers run, from a pull request to published results. Everything that comes from outside is hostile here.

    git                 reads and writes repositories whose commits may come from strangers
    └ pull_requests     which files a pull request changes, and the one submission in it
    intake              downloads, unpacks and reads predictions → canonical label maps and refusals (`intake_record`,
                        `intake_folder`)
    scoring             predictions × references → a public record, one `scored_set` after the other
    ├ references        where they are, and that they are those of the test set
    ├ ledger            how many private scorings a team has left
    ├ store             the organizers' private rows
    ├ disclosure        what of a private test set may be told
    └ public_record     what is written for everybody
    standings           the rank that a submission would take
    comment             a record → the comment in the pull request
    publishing          records of merged submissions → commits
    verifying           what can be recomputed from a record, and what of it is outdated
    simulated           the records of the demo

No module here prints; `cli.submission` has a command for each step.
"""
