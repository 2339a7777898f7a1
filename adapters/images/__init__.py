"""Pictures from files, bytes, text and URLs; faces cut out of them."""
