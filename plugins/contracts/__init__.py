"""One test suite for every port, for plugin authors and for our own adapters.

Subclass the suite of your port, override its fixture so that it builds your implementation, and
run pytest::

    from facecv.plugins.contracts.detector import DetectorContract

    class TestMine(DetectorContract):
        @pytest.fixture
        def detector(self):
            return MyDetector()

Call ``pytest.register_assert_rewrite("facecv.plugins.contracts")`` in your ``conftest.py`` for
readable failures.
"""
