"""The pages of the export: what the views work out, put on a `Sheet`."""
