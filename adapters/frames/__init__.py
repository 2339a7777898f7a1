"""Where frames come from, and where pictures made of them go."""
