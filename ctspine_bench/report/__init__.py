"""Results for people: tables for the terminal, Markdown, LaTeX and CSV, and a report to look at.

`layout` decides once what stands in which cell, `events` what has to be named case by case; the others only draw it::

    variants  the official table and its variants, by name
    layout    a submission's scores → tables of text cells
    events    a submission's scores → missed, spurious and failed cases
    terminal  for the terminal
    text      Markdown, LaTeX, CSV
    curves    a cut through a label map that follows the spine
    pictures  reference against prediction of one case
    html      the report, one file
"""
