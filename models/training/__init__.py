"""Recipes that train the weights of the pack `nano`; they need `pip install 'facecv[training]'`.

`pack` makes one data file, `embedder`, `attributes` and `detector` train on it, `export` writes the
pack's ONNX files, `evaluate` measures them; a recipe can start from an exported file (`--start`).
Each runs as `python -m facecv.models.training.NAME`.
"""
