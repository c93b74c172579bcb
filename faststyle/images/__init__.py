"""Pictures in memory and in files: any photo in, any format out, with colors, masks and words around them."""
