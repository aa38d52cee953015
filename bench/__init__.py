"""How long the product takes, measured beside the least that the same work can take."""
