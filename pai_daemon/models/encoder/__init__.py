"""Writes an encoder as an ONNX graph: readers of weights, the tokenizer, the quantising."""
