"""Quantises the ONNX file of another: its dense layers in int8, as ONNX Runtime's own tool does it."""

from __future__ import annotations

from pathlib import Path

from pai_daemon.config import forbid_telemetry


def quantise(source: Path, target: Path) -> None:
    """Write a graph whose products with weights are of int8, each channel with its own scale.

    Each layer takes the range of its input from the batch, until `ranges.fix` is applied. Holds the whole
    model in memory. Raises OSError when the disk refuses.
    """
    forbid_telemetry()
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415  (0.4 s, rarely needed)

    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=True,
    )
