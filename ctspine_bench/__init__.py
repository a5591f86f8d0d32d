"""Evaluation suite and leaderboard for the CTSpine1K vertebra segmentation benchmark."""

__version__ = "0.1.0"
