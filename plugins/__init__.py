"""Writing a plugin.

A plugin is a package with an entry point in the group ``facecv`` that names a module. The module
marks functions with `hookimpl`, named as in `facecv.plugins.hookspecs`; each returns providers::

    from facecv.plugins import BuildRequest, Provider, hookimpl

    def build(request: BuildRequest) -> MyDetector:
        return MyDetector(request.load())

    @hookimpl
    def facecv_register_detectors():
        return [Provider("mine", build, "my detector", needs_model=True)]

Only `facecv.core` and `facecv.plugins` are needed. `facecv.plugins.contracts` has a test suite for
every port: subclass the one of your port and run it with pytest.
"""

import pluggy

from facecv.plugins.provider import BuildRequest, NoSettings, Provider

hookimpl = pluggy.HookimplMarker("facecv")

__all__ = ["BuildRequest", "NoSettings", "Provider", "hookimpl"]
