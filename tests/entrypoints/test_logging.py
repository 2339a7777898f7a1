"""What reaches a log, and what does not."""

import io
import json
import warnings
from typing import Any

import numpy as np
import pytest
import structlog

from facecv.entrypoints.logging import configure, stay_quiet


def logged(**values: Any) -> dict[str, Any]:
    """Return what comes out as JSON when `values` are logged."""
    stream = io.StringIO()
    configure("debug", stream)
    structlog.get_logger().info("event", **values)
    entry: dict[str, Any] = json.loads(stream.getvalue())
    return entry


def test_an_entry_is_one_json_object_with_level_and_time() -> None:
    entry = logged(faces=3)
    assert entry["event"] == "event"
    assert entry["level"] == "info"
    assert entry["faces"] == 3
    assert entry["timestamp"].endswith("Z")


def test_a_terminal_gets_text() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure("info", stream)
    structlog.get_logger().info("device chosen", device="cpu")
    assert "device chosen" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_lower_levels_are_left_out() -> None:
    stream = io.StringIO()
    configure("warning", stream)
    structlog.get_logger().info("quiet")
    assert not stream.getvalue()


@pytest.mark.parametrize(
    "name", ["api_key", "key", "token", "password", "Authorization", "client_secret", "X-Api-Key"]
)
def test_secrets_are_masked_by_name(name: str) -> None:
    assert logged(**{name: "hunter2"})[name] == "***"


@pytest.mark.parametrize("name", ["embedding", "vectors", "pixels", "crop", "landmarks"])
def test_faces_are_masked_by_name(name: str) -> None:
    assert logged(**{name: [0.25, 0.5]})[name] == "***"


def test_the_dimension_of_a_vector_is_no_secret() -> None:
    assert logged(embedding_dim=512)["embedding_dim"] == 512


@pytest.mark.parametrize(
    "value", [np.ones((2, 3)), b"\x89PNG", [0.5] * 512, {"inner": np.ones(9)}, [np.ones(4)]]
)
def test_data_are_masked_by_what_they_are(value: Any) -> None:
    text = json.dumps(logged(value=value)["value"])
    assert "<" in text
    assert "1.0" not in text
    assert "0.5" not in text
    assert "PNG" not in text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:pw@camera/1.jpg", "http://me:***@camera/1.jpg"),
        ("rtsp://me:p@ss@camera/live", "rtsp://me:***@camera/live"),
        ("https://host/a.jpg?token=abc&size=3", "https://host/a.jpg?token=***&size=3"),
        ("https://host/a.jpg?size=3", "https://host/a.jpg?size=3"),
    ],
)
def test_passwords_in_urls_are_masked(url: str, shown: str) -> None:
    assert logged(source=url)["source"] == shown


def test_the_message_itself_is_looked_at_too() -> None:
    stream = io.StringIO()
    configure("debug", stream)
    structlog.get_logger().info("cannot open rtsp://me:pw@camera/live")
    assert "pw" not in stream.getvalue()


def test_short_lists_and_mappings_survive() -> None:
    assert logged(sizes=[1, 2], counts={"faces": 2})["sizes"] == [1, 2]


def test_an_exception_is_told() -> None:
    stream = io.StringIO()
    configure("info", stream)
    structlog.get_logger().error("failed", exc_info=ValueError("broken http://me:pw@host/"))
    entry = json.loads(stream.getvalue())
    assert "ValueError" in entry["exception"]
    assert "pw@" not in entry["exception"]


def test_warnings_about_metadata_of_photos_are_dropped() -> None:
    """They are about pictures that are read all the same; other warnings stay."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        configure("warning", io.StringIO())
        for module in ("PIL.TiffImagePlugin", "facecv.core"):
            warnings.warn_explicit(module, UserWarning, "x.py", 1, module)
    assert [str(warning.message) for warning in seen] == ["facecv.core"]


def test_a_program_that_says_nothing_about_logging_sees_warnings_on_the_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stay_quiet()
    structlog.get_logger().info("device chosen")
    structlog.get_logger().warning("slow")
    shown = capsys.readouterr()
    assert not shown.out
    assert "slow" in shown.err
    assert "device" not in shown.err


def test_the_logging_that_a_program_has_set_up_is_left_alone() -> None:
    stream = io.StringIO()
    configure("debug", stream)
    stay_quiet()
    structlog.get_logger().debug("detail")
    assert "detail" in stream.getvalue()
