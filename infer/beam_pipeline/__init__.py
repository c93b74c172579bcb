"""`faststyle stylize` for a million photos: the same pictures, on any engine that Apache Beam runs on."""
