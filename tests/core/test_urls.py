"""URLs without their secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecv.core.urls import redacted


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://10.0.0.7:554/live", "rtsp://10.0.0.7:554/live"),
        ("rtsp://admin:pw@10.0.0.7:554/live", "rtsp://10.0.0.7:554/live"),
        ("http://cam/video?user=a&pwd=b#c", "http://cam/video"),
        ("rtsp://admin:p@ss@cam/live", "rtsp://cam/live"),
        ("rtsp://admin:p/ss@cam/live", "rtsp://cam/live"),
        ("rtsp://admin:p?ss@cam/live?k=p?ss", "rtsp://cam/live"),
        ("rtsp://admin:p@s/s@cam/live?mail=a@b", "rtsp://cam/live"),
        ("rtsp://admin:p@ss@cam/live?key=p@ss", "rtsp://cam/live"),
        ("rtsp://token@cam", "rtsp://cam"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://u:p@[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://cam/@home/x", "http://cam/@home/x"),
        ("http://cam/x?mail=a@b", "http://cam/x"),
        ("film.mp4", "film.mp4"),
        ("folder/a@b.mp4", "folder/a@b.mp4"),
        ("", ""),
    ],
)
def test_user_password_and_query_are_left_out(url: str, shown: str) -> None:
    assert redacted(url) == shown


@given(st.text("abcXYZ019-._~%!$&'()*+,;=@:/", min_size=3))
def test_no_password_survives(password: str) -> None:
    """Whatever is in it, escaped or not."""
    secret = f"<{password}>"
    assert "<" not in redacted(f"rtsp://admin:{secret}@camera.example:554/live?again={secret}")
