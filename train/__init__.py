"""From photographs to a trained, exported style."""
