"""Front doors: the command, the demo, the asset builders."""
