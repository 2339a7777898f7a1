"""Downloads of single files, from servers that behave and servers that do not."""

import attrs
import pytest

from facecv.adapters.model_stores.http_download import Downloader, shown
from facecv.adapters.model_stores.local import LocalModelStore
from facecv.core.errors import DownloadError, IntegrityError
from facecv.plugins.contracts.model_store import (
    DETECTOR,
    EMBEDDER,
    FILES,
    example_pack,
    sha256,
)
from tests.adapters.model_stores.file_server import Behaviour, FileServer
from tests.adapters.model_stores.packs import IMPATIENT, leftovers, partly, single_files


class TestDownloadingSingleFiles:
    def test_all_models_come(self, store: LocalModelStore, server: FileServer) -> None:
        seen: dict[str, tuple[int, int]] = {}
        pack = single_files(server.url)
        files = store.pull(pack, lambda name, done, total: seen.update({name: (done, total)}))
        assert [file.path.read_bytes() for file in files] == [DETECTOR, EMBEDDER]
        assert seen["det.onnx"] == (len(DETECTOR), len(DETECTOR))
        assert leftovers(store) == []

    def test_what_is_here_is_not_downloaded_again(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        store.pull(single_files(server.url))
        (store.root / "example" / "det.onnx").unlink()
        store.pull(single_files(server.url))
        assert server.paths == ["/det.onnx", "/rec.onnx", "/det.onnx"]

    def test_a_damaged_file_is_replaced(self, store: LocalModelStore, server: FileServer) -> None:
        store.pull(single_files(server.url))
        (store.root / "example" / "det.onnx").write_bytes(DETECTOR[::-1])
        assert store.pull(single_files(server.url))[0].path.read_bytes() == DETECTOR

    def test_a_broken_connection_is_taken_up_where_it_broke(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        server.behaviour = "broken-once"
        store.pull(single_files(server.url))
        assert server.paths[:2] == ["/det.onnx", "/det.onnx"]
        headers = server.requests[1][1]
        assert headers["range"] == f"bytes={len(DETECTOR) // 2}-"
        assert headers["if-range"] == server.etag
        assert server.served == len(DETECTOR) + len(EMBEDDER)

    def test_an_interrupted_download_goes_on_in_another_run(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        server.behaviour = "broken-once"
        once = attrs.evolve(store, downloader=Downloader(attempts=1))
        with pytest.raises(DownloadError):
            once.pull(single_files(server.url))
        assert leftovers(store) == ["det.onnx.part", "det.onnx.part.tag"]
        store.pull(single_files(server.url))
        assert server.requests[1][1]["range"] == f"bytes={len(DETECTOR) // 2}-"
        assert leftovers(store) == []

    @pytest.mark.parametrize("behaviour", ["no-range", "wrong-range"])
    def test_a_server_that_cannot_resume_starts_afresh(
        self, store: LocalModelStore, server: FileServer, behaviour: Behaviour
    ) -> None:
        partly(store, DETECTOR[:100], server.etag)
        server.behaviour = behaviour
        assert store.pull(single_files(server.url))[0].path.read_bytes() == DETECTOR

    def test_a_part_of_another_version_is_dropped(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        partly(store, b"something else", '"old"')
        assert store.pull(single_files(server.url))[0].path.read_bytes() == DETECTOR

    def test_a_wrong_part_that_no_server_denies_costs_one_more_download(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        partly(store, b"something else", "")
        assert store.pull(single_files(server.url))[0].path.read_bytes() == DETECTOR
        assert server.paths.count("/det.onnx") == 2

    def test_a_part_that_neither_server_nor_digest_can_judge_is_dropped(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        partly(store, b"something else", "")
        pack = single_files(server.url, digests=False)
        assert store.pull(pack)[0].path.read_bytes() == DETECTOR
        assert "range" not in server.requests[0][1]

    def test_a_part_that_is_complete_needs_no_request(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        partly(store, DETECTOR, server.etag)
        store.pull(single_files(server.url))
        assert server.paths == ["/rec.onnx"]

    @pytest.mark.parametrize("behaviour", ["truncated", "corrupt", "endless"])
    def test_a_wrong_file_is_refused_and_the_good_one_kept(
        self, store: LocalModelStore, server: FileServer, behaviour: Behaviour
    ) -> None:
        store.pull(single_files(server.url))
        good = store.root / "example" / "rec.onnx"
        (store.root / "example" / "det.onnx").unlink()
        server.behaviour = behaviour
        with pytest.raises(IntegrityError, match=r"det\.onnx"):
            store.pull(single_files(server.url))
        assert good.read_bytes() == EMBEDDER
        assert not (store.root / "example" / "det.onnx").exists()
        assert leftovers(store) == []

    def test_the_error_about_a_wrong_file_names_both_digests(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        server.behaviour = "corrupt"
        with pytest.raises(IntegrityError) as caught:
            store.pull(single_files(server.url))
        assert sha256(DETECTOR) in caught.value.message
        assert sha256(DETECTOR[::-1]) in caught.value.message

    def test_a_damaged_file_stays_until_a_good_one_is_here(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        store.pull(single_files(server.url))
        there = store.root / "example" / "det.onnx"
        there.write_bytes(b"an older version")
        server.behaviour = "corrupt"
        with pytest.raises(IntegrityError):
            store.pull(single_files(server.url))
        assert there.read_bytes() == b"an older version"

    def test_a_connection_that_keeps_breaking_is_given_up(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        server.behaviour = "broken"
        with pytest.raises(DownloadError, match=r"det\.onnx"):
            store.pull(single_files(server.url))
        assert len(server.requests) == IMPATIENT.attempts

    def test_a_busy_server_is_asked_again(self, store: LocalModelStore, server: FileServer) -> None:
        server.behaviour = "busy-once"
        assert len(store.pull(single_files(server.url))) == 2

    def test_redirections_are_followed(self, store: LocalModelStore, server: FileServer) -> None:
        server.behaviour = "redirect"
        store.pull(single_files(server.url))
        assert "/moved/det.onnx" in server.paths

    def test_redirections_without_end_are_given_up(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        server.behaviour = "redirect-for-ever"
        with pytest.raises(DownloadError, match="redirects"):
            store.pull(single_files(server.url))

    def test_a_part_longer_than_the_file_is_dropped(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        partly(store, bytes(len(DETECTOR) + 1), server.etag)
        pack = single_files(server.url)
        sizeless = tuple(attrs.evolve(model, size=0) for model in pack.models)
        files = store.pull(attrs.evolve(pack, models=sizeless))
        assert files[0].path.read_bytes() == DETECTOR

    def test_the_proxy_of_the_environment_is_used(
        self, store: LocalModelStore, server: FileServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", server.url)
        address = "http://models.invalid"
        server.files = {f"{address}/{name}": content for name, content in FILES.items()}
        store.pull(single_files(address))
        assert server.paths == [f"{address}/det.onnx", f"{address}/rec.onnx"]

    def test_a_proxy_that_cannot_be_used_is_reported(
        self, store: LocalModelStore, server: FileServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "gopher://localhost")
        with pytest.raises(DownloadError, match="proxy"):
            store.pull(single_files(server.url))

    def test_a_missing_file_is_not_asked_for_twice(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        del server.files["/det.onnx"]
        with pytest.raises(DownloadError) as caught:
            store.pull(single_files(server.url))
        assert caught.value.details["status"] == 404
        assert server.paths == ["/det.onnx"]

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9", "ftp://example.org", "no url"])
    def test_an_address_that_cannot_be_reached_is_a_download_error(
        self, store: LocalModelStore, url: str
    ) -> None:
        with pytest.raises(DownloadError):
            store.pull(single_files(url))

    def test_a_pack_without_addresses_says_so(self, store: LocalModelStore) -> None:
        with pytest.raises(DownloadError, match="nothing says where"):
            store.pull(example_pack())

    def test_credentials_of_an_address_are_not_shown(self) -> None:
        assert shown("https://me:secret@host/a.onnx?token=x") == "https://host/a.onnx"
