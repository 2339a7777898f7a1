"""Pure functions from pictures to the tensors that networks want."""
