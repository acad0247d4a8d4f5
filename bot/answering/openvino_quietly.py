"""OpenVINO without its telemetry: the package reports its own import to its maker, unless its reporter is not there."""

from __future__ import annotations

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # then OpenVINO and nncf take their own stubs

try:
    import openvino
except ImportError as error:
    raise ImportError(
        "This engine computes with OpenVINO, which is not installed. Run `pip install 'kefu[openvino]'`."
    ) from error

__all__ = ["openvino"]
