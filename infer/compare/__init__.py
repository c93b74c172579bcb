"""`faststyle compare`: how many iterations of the optimization a network is worth, as a report."""
