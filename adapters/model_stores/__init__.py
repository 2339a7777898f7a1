"""Model packs on disk and from the network."""
