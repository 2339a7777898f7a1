"""Rewriting networks so that ONNX Runtime runs them faster on a CPU; results stay the same.

ONNX Runtime keeps tensors in blocks of channels (NCHWc) as long as every operator on the way has a
kernel for that layout. Each pass replaces something that has none, or that wastes part of a block.
"""
