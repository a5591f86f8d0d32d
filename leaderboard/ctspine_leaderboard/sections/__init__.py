"""The parts of pages in the order in which they are read: the same in the app and in the export.

Selectors are not among them: the app asks visitors, the export has a page for each test set.
"""
