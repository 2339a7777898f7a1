"""``facecv doctor``: what is installed, what would be used, what is wrong. It writes nothing."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import rich_click as click

from facecv.core.errors import FaceCVError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import DONE, EPILOG, MODEL, leave, one_line
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.library import Library, library_of
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.plugins import plugin_shapes

if TYPE_CHECKING:
    from facecv.entrypoints.bootstrap import Builder

_PACKAGES = ("facecv", "numpy", "pillow", "pillow-heif", "sqlite-utils")
_RIVALS = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")
"""Packages that install one module; two of them overwrite each other's files."""


@attrs.define(eq=False)
class Report:
    """What was found.

    Attributes:
        sections: title to facts.
        problems: what keeps FaceCV from working as configured.
    """

    sections: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    problems: list[str] = attrs.field(factory=list)


@click.command(epilog=EPILOG)
@options.load_option
@options.model_options
@options.gallery_file_option
@options.form_options
@options.general_options
@pass_invocation
def doctor(invocation: Invocation, form: Form, *, load: bool) -> None:
    """Show versions, devices, models, gallery, plugins, and what is wrong with them.

    Exits with 4 if something is. Writes nothing, unless it is to --load the models.
    """
    builder = invocation.builder()
    report = Report()
    report.sections["versions"] = _versions(report)
    report.sections["configuration"] = _configuration(invocation)
    report.sections["backend"] = _backend(builder, report)
    report.sections["models"] = _models(builder, report)
    if load:
        report.sections["loaded"] = _loaded(invocation, report)
    report.sections["gallery"] = _gallery(builder)
    report.sections["plugins"] = _plugins(builder, report)
    if not output.write_record(form, {**report.sections, "problems": report.problems}):
        _print(report)
    leave(MODEL if report.problems else DONE)


def _versions(report: Report) -> dict[str, Any]:
    found = {"python": f"{platform.python_version()} on {platform.platform()}"}
    installed = {name: version for name in (*_PACKAGES, *_RIVALS) if (version := _version(name))}
    rivals = [name for name in _RIVALS if name in installed]
    if len(rivals) > 1:
        report.problems.append(f"{' and '.join(rivals)} exclude each other: uninstall all but one")
    return found | installed


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _configuration(invocation: Invocation) -> dict[str, Any]:
    from facecv.entrypoints.config import find_file

    file = find_file(invocation.config_file, os.environ)
    variables = sorted(name for name in os.environ if name.startswith("FACECV_"))
    return {"file": str(file.absolute()) if file else None, "variables": variables}


def _backend(builder: "Builder", report: Report) -> dict[str, Any]:
    """Return what the backend says about itself; a backend need not say anything."""
    config = builder.config
    facts: dict[str, Any] = {"name": config.backend, "device": config.device}
    try:
        backend = builder.slot("backends", config.backend).get()
    except FaceCVError as error:
        report.problems.append(one_line(error))
        return facts
    facts |= getattr(backend, "describe", dict)()
    if "problem" in facts:
        report.problems.append(str(facts["problem"]))
    state = facts.get("devices", {}).get(config.device, "available")
    if state != "available":
        report.problems.append(f"device {config.device!r} cannot be used: {state}")
    return facts | {"threads": config.threads or facts.get("cores", "chosen by the backend")}


def _models(builder: "Builder", report: Report) -> dict[str, Any]:
    from facecv.models.catalogue import file_digest

    try:
        library = library_of(builder, file_digest)
        pack = library.pack(None)
    except FaceCVError as error:
        report.problems.append(one_line(error))
        return {"pack": None, "folder": str(builder.config.pack_dir or "") or None}
    states = {spec.name: library.state(pack, spec) for spec in pack.models}
    needed = [*pack.for_task("detection"), *pack.for_task("recognition")]
    lacking = [spec.name for spec in needed if states[spec.name] in {"missing", "not pulled"}]
    if lacking:
        report.problems.append(f"pack {pack.name!r} lacks {', '.join(lacking)}")
    return {
        "store": _settings(builder.settings("model_stores", builder.config.store)),
        "pack": pack.name,
        "folder": str(library.store.path(pack)),
        "state": states,
        "other packs": _others(library),
    }


def _loaded(invocation: Invocation, report: Report) -> dict[str, Any]:
    """Return what runs each configured model, and how much of it."""
    from facecv.entrypoints.cli.loading import load_all, share_text

    try:
        loadings = load_all(invocation.engine())
    except FaceCVError as error:
        report.problems.append(one_line(error))
        return {}
    report.problems += [f"{one.model or one.task}: {one.error}" for one in loadings if one.error]
    return {
        one.model: f"{share_text(one.share)} of its operators on {', '.join(one.providers)}"
        for one in loadings
        if not one.error
    }


def _others(library: Library) -> list[str]:
    """Return the packs that are here and not in use."""
    packs = (pack for pack in library.packs() if pack is not library.in_use)
    return [pack.name for pack in packs if library.any_here(pack)]


def _gallery(builder: "Builder") -> dict[str, Any]:
    name, settings = builder.gallery_settings()
    facts = {"name": name} | _settings(settings)
    path = facts.get("path")
    if path:
        facts["state"] = "there" if Path(path).exists() else "not there yet"
    return facts


def _settings(settings: Any) -> dict[str, Any]:  # noqa: ANN401 - some attrs class
    """Return the settings of a provider as text."""
    values = attrs.asdict(settings)
    return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}


def _plugins(builder: "Builder", report: Report) -> dict[str, Any]:
    found = {}
    for shape in plugin_shapes(builder):
        found[shape["name"]] = f"{shape['distribution']} {shape['version']}"
        if shape["error"]:
            found[shape["name"]] += f": {shape['error']}"
            report.problems.append(f"plugin {shape['name']}: {shape['error']}")
    report.problems += [one_line(clash) for clash in builder.catalogue.clashes()]
    return found


def _print(report: Report) -> None:
    table = tables.table("", "what", "value")
    for title, facts in report.sections.items():
        for index, (key, value) in enumerate(facts.items()):
            tables.add_row(table, "" if index else tables.styled(title, "bold"), key, _shown(value))
    output.print_table(table)
    click.echo()
    for problem in report.problems:
        click.echo(f"{click.style('problem:', fg='red', bold=True)} {problem}")
    if not report.problems:
        click.secho("everything is fine", fg="green", bold=True)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_shown(item)}" for key, item in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return "-" if value in (None, "") else str(value)
