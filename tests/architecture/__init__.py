"""The layers, the sizes and the documents of this repository."""
