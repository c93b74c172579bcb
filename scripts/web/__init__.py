"""A page on one's own machine where people paint, train, compare and render: a thin layer over the commands."""
