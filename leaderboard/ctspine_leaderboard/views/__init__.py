"""What pages and the static export show, worked out from a board: tables and figures, without Streamlit."""
