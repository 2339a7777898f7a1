"""Model packs: manifests, embedded weights, and the code that reads them."""
