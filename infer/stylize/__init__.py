"""`faststyle stylize`: which photos and videos, how they are to look, and their way through the network."""
