"""The leaderboard: who is better, how sure that is, and where the domain gap comes from.

`settings` says what a host shows, `boards` keeps the board in memory, `views` works out what a page shows, `pages` puts
it on the screen with Streamlit, `export` writes it as static files. `tables` and `downloads` are the doors to HTML and
to files: everything from a record is escaped there.
"""
