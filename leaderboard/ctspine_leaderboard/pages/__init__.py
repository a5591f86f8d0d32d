"""One page a file: selectors, and what the view of the same name makes of them."""
