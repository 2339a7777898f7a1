"""Section ``[server]`` of the configuration."""

from pathlib import Path

import attrs

_positive = attrs.validators.gt(0.0)
_at_least_0 = attrs.validators.ge(0)
_at_least_1 = attrs.validators.ge(1)


@attrs.frozen
class LimitsConfig:
    """Section ``[server.limits]``: what one request, or one key, may ask for.

    Attributes:
        body_bytes: the most bytes of a request's body.
        image_bytes: the most bytes of one encoded picture.
        image_pixels: the most pixels of one picture.
        import_bytes: the most bytes of an import of a collection.
        images: the most pictures of one request.
        batch_images: the most pictures of one batch, those in zip files included; more than
            `images` become a job.
        batch_bytes: the most bytes of them, unpacked.
        faces: the most faces of one picture that are looked at.
        seconds: how long a request may take, queueing included. What is late is not kept; only
            when an enrolment or import is being written by then is the answer waited for.
        requests_per_minute: of one key, or of one address where there are no keys; 0: no limit.
    """

    body_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=_at_least_1)
    image_bytes: int = attrs.field(default=16 * 1024 * 1024, validator=_at_least_1)
    image_pixels: int = attrs.field(default=50_000_000, validator=_at_least_1)
    import_bytes: int = attrs.field(default=4 * 1024**3, validator=_at_least_1)
    images: int = attrs.field(default=64, validator=_at_least_1)
    batch_images: int = attrs.field(default=2000, validator=_at_least_1)
    batch_bytes: int = attrs.field(default=512 * 1024 * 1024, validator=_at_least_1)
    faces: int = attrs.field(default=1000, validator=_at_least_1)
    seconds: float = attrs.field(default=60.0, validator=_positive)
    requests_per_minute: int = attrs.field(default=0, validator=_at_least_0)


@attrs.frozen
class UrlsConfig:
    """Section ``[server.urls]``: pictures that clients name by URL.

    Attributes:
        enabled: whether they are fetched at all.
        schemes: which are allowed.
        private: whether addresses that are not on the public internet may be asked.
        seconds: how long fetching one may take.
        redirects: the most to follow; each is checked like the first.
    """

    enabled: bool = False
    schemes: tuple[str, ...] = ("https", "http")
    private: bool = False
    seconds: float = attrs.field(default=10.0, validator=_positive)
    redirects: int = attrs.field(default=3, validator=_at_least_0)


@attrs.frozen
class BatchingConfig:
    """Section ``[server.batching]``: faces of concurrent requests share runs of a network.

    Attributes:
        max_size: the most faces of one run; 1: no sharing.
        max_wait: seconds that faces wait for company under load, at most 0.002.
    """

    max_size: int = attrs.field(default=32, validator=_at_least_1)
    max_wait: float = attrs.field(
        default=0.001, validator=[attrs.validators.ge(0.0), attrs.validators.le(0.002)]
    )


@attrs.frozen
class InsightFaceRestConfig:
    """Section ``[server.compat.insightface_rest]``.

    Attributes:
        enabled: whether the routes of InsightFace-REST are served.
        prefix: before their paths; empty: where its clients look.
    """

    enabled: bool = False
    prefix: str = ""


@attrs.frozen
class InsightFaceServerConfig:
    """Section ``[server.compat.insightface_server]``.

    Attributes:
        enabled: whether the routes of InsightFace Server are served.
        prefix: before their ``/v1``, which is not ours; part of the address that clients are given.
    """

    enabled: bool = False
    prefix: str = attrs.field(
        default="/insightface", validator=attrs.validators.matches_re(r"(/[A-Za-z0-9._~-]+)+")
    )


@attrs.frozen
class CompatConfig:
    """Section ``[server.compat]``: routes of other servers.

    Attributes:
        insightface_rest: those of InsightFace-REST.
        insightface_server: those of InsightFace Server.
    """

    insightface_rest: InsightFaceRestConfig = attrs.field(factory=InsightFaceRestConfig)
    insightface_server: InsightFaceServerConfig = attrs.field(factory=InsightFaceServerConfig)


@attrs.frozen
class StreamsConfig:
    """Section ``[server.streams]``: cameras and videos that the server watches.

    Attributes:
        most: the most streams.
        files: whether clients may name files and folders of this machine, as sources or as places
            where events go; URLs, webcams and pushed frames they may name anyway.
        path: where streams are kept, passwords in their addresses included; None: beside the
            gallery's file. A gallery in memory keeps none.
        preview_fps: the most pictures a second of a preview.
        clients: the most clients that follow events, and as many that look at previews.
        send_seconds: how long a client may take to take what it was sent before it is cut off.
    """

    most: int = attrs.field(default=16, validator=_at_least_0)
    files: bool = False
    path: Path | None = None
    preview_fps: float = attrs.field(default=5.0, validator=_positive)
    clients: int = attrs.field(default=32, validator=_at_least_0)
    send_seconds: float = attrs.field(default=20.0, validator=_positive)


@attrs.frozen
class OpenTelemetrySettings:
    """Section ``[server.opentelemetry]``: traces of requests; needs the extra ``otel``.

    Attributes:
        enabled: whether requests are traced.
        endpoint: URL that spans are sent to by OTLP over HTTP; empty: as ``OTEL_EXPORTER_OTLP_*``
            say, else http://localhost:4318/v1/traces.
        service_name: the service, as traces have it.
    """

    enabled: bool = False
    endpoint: str = ""
    service_name: str = "facecv"


@attrs.frozen
class ServerConfig:
    """Section ``[server]``: the HTTP service.

    Attributes:
        host: the address to listen on.
        port: the port.
        workers: processes that serve it.
        threads: pieces of work that one process does at once; 0: the cores that it may use.
        queue: pieces of work that may wait in one process; more are refused with 503.
        stop_seconds: how long work in flight may take to finish when the server stops.
        keys: the file of API keys; None: in the user's data folder.
        state: the folder in which workers keep what they share while they run, on a disk of this
            machine; None: in the user's state folder.
        insecure: serve without any key on addresses other than this machine's own.
        docs: whether the OpenAPI document and its page are served.
        limits: what a request may ask for.
        urls: pictures named by URL.
        batching: sharing runs of networks.
        compat: routes of other servers.
        streams: cameras and videos that are watched.
        opentelemetry: traces of requests.
    """

    host: str = "127.0.0.1"
    port: int = attrs.field(
        default=7002, validator=[attrs.validators.ge(0), attrs.validators.le(65535)]
    )
    workers: int = attrs.field(default=1, validator=_at_least_1)
    threads: int = attrs.field(default=0, validator=_at_least_0)
    queue: int = attrs.field(default=64, validator=_at_least_0)
    stop_seconds: float = attrs.field(default=30.0, validator=_positive)
    keys: Path | None = None
    state: Path | None = None
    insecure: bool = False
    docs: bool = True
    limits: LimitsConfig = attrs.field(factory=LimitsConfig)
    urls: UrlsConfig = attrs.field(factory=UrlsConfig)
    batching: BatchingConfig = attrs.field(factory=BatchingConfig)
    compat: CompatConfig = attrs.field(factory=CompatConfig)
    streams: StreamsConfig = attrs.field(factory=StreamsConfig)
    opentelemetry: OpenTelemetrySettings = attrs.field(factory=OpenTelemetrySettings)
