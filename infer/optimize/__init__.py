"""Images by optimizing their pixels: `faststyle optimize`, `preview` and `reconstruct`."""
