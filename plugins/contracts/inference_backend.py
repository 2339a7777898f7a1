"""What every inference backend promises."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import numpy as np
import pytest

from facecv.core.errors import InferenceError, ModelError
from facecv.core.pack import InputSpec, ModelFile
from facecv.core.ports.inference_backend import InferenceBackend, Session, SessionOptions


class InferenceBackendContract:
    """Override `backend`, and `doubler` with a network that doubles ``x``: float32 [N, 2].

    Override `options` to run the suite on another device.
    """

    @pytest.fixture
    def backend(self) -> InferenceBackend:
        """Return the backend under test."""
        raise NotImplementedError

    @pytest.fixture
    def doubler(self) -> ModelFile:
        """Return a network with an input ``x`` [N, 2] and an output of twice that."""
        raise NotImplementedError

    @pytest.fixture
    def options(self) -> SessionOptions:
        """Return how networks are loaded."""
        return SessionOptions(device="cpu", threads=1)

    @pytest.fixture
    def session(
        self, backend: InferenceBackend, doubler: ModelFile, options: SessionOptions
    ) -> Iterator[Session]:
        """Return the network, loaded."""
        session = backend.load(doubler, options)
        yield session
        session.close()

    def test_describes_inputs_and_outputs(self, session: Session) -> None:
        """Names are the file's; a free axis is None."""
        (tensor,) = session.inputs
        assert (tensor.name, tensor.shape, tensor.dtype) == ("x", (None, 2), "float32")
        assert len(session.outputs) == 1
        assert session.provider
        assert session.placement is None or 0 < session.placement.share <= 1

    @pytest.mark.parametrize("rows", [1, 3])
    def test_runs_any_batch(self, session: Session, rows: int) -> None:
        """A free axis takes any length."""
        x = np.arange(2 * rows, dtype=np.float32).reshape(rows, 2)
        (y,) = session.run({"x": x})
        np.testing.assert_allclose(y, 2 * x)

    def test_pixels_are_normalised_once(
        self, backend: InferenceBackend, doubler: ModelFile, options: SessionOptions
    ) -> None:
        """By the network, whose input then takes bytes, or by whoever runs it."""
        spec = InputSpec(mean=10.0, std=4.0)
        session = backend.load(doubler, attrs.evolve(options, pixels=spec))
        pixels = np.array([[0, 255], [10, 11]], np.uint8)
        normalised = (pixels.astype(np.float32) - 10) / 4
        (tensor,) = session.inputs
        (y,) = session.run({"x": pixels if tensor.dtype == "uint8" else normalised})
        np.testing.assert_allclose(y, 2 * normalised, rtol=1e-6)
        session.close()

    def test_may_be_run_from_several_threads(self, session: Session) -> None:
        """Answers do not get mixed up."""
        inputs = [np.full((2, 2), value, np.float32) for value in range(32)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda x: session.run({"x": x})[0], inputs))
        for x, y in zip(inputs, answers, strict=True):
            np.testing.assert_allclose(y, 2 * x)

    def test_a_wrong_input_is_an_inference_error(self, session: Session) -> None:
        """Names and shapes that the network does not have are refused."""
        with pytest.raises(InferenceError):
            session.run({"x": np.zeros((1, 3), np.float32)})
        with pytest.raises(InferenceError):
            session.run({"nothing": np.zeros((1, 2), np.float32)})

    def test_closing_twice_is_fine_and_running_then_is_not(self, session: Session) -> None:
        """A closed network says so."""
        session.close()
        session.close()
        with pytest.raises(InferenceError, match="closed"):
            session.run({"x": np.zeros((1, 2), np.float32)})

    @pytest.mark.parametrize("content", [None, b"", b"not a network", b"\x08\x08\x12"])
    def test_a_file_that_is_no_network_is_a_model_error(
        self,
        backend: InferenceBackend,
        doubler: ModelFile,
        options: SessionOptions,
        tmp_path: Path,
        content: bytes | None,
    ) -> None:
        """Missing, empty and damaged files are told by name."""
        path = tmp_path / "broken.onnx"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ModelError, match="broken"):
            backend.load(attrs.evolve(doubler, path=path), options)
