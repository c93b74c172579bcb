"""From paintings to the shipped gallery and its page."""
