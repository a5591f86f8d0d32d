"""What may be told of a private test set, and of whatever goes wrong there.

`results` says what is published and argues why, `cases` has its means over cases and its counts, `suppression` the
rules for small numbers, `discretion` errors without a private word.
"""
