"""Which styles there are: what a style is called, what a model says of its styles, the gallery."""
