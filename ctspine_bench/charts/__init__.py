"""Tables → plotly figures, for the report and the leaderboard; `style` holds what all of them have in common."""
