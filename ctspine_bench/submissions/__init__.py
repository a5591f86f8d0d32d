"""Submissions as data: what a participant declares, the rules for a submission's folder, and the record that is kept.

`submissions/<slug>/submission.yaml` is written by the participant (`declaration`, `writing`, `reading`, `folder`);
`results.json` and `cases.parquet` beside it by the scorer (`records`).
"""
