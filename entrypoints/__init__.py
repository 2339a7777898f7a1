"""Ways in: the Python facade, the command line, compatibility layers; and what wires them."""
