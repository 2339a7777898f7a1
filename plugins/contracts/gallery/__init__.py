"""The promises of galleries, a file for each part of the port."""
