"""The leaderboard: who is better, how sure that is, and where the domain gap comes from.

`settings` says what a host shows, `boards` keeps the board in memory, `views` works out what a page shows, `sections`
puts that in the order in which it is read, on any `surface`: `pages` with their selectors on the screen with Streamlit,
`export` into static files. `serving` and `export` are what `ctspine-bench leaderboard` starts. `tables` and `downloads`
are the doors to HTML and to files: everything from a record is escaped there.
"""
