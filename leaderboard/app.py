"""The leaderboard as a Streamlit app: `streamlit run leaderboard/app.py`, or `ctspine-bench leaderboard`."""

from __future__ import annotations

from ctspine_leaderboard.navigation import main

main()
