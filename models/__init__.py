"""Ground floor: networks and losses."""
