"""Where events are kept and where they go."""
