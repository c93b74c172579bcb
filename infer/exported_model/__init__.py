"""An exported network as a function from a photo to the stylized photo, on any runtime, in tiles where it is large."""
