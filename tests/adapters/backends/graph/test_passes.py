"""Each pass alone: the same answers, from operators that have a kernel in blocked layout."""

from collections.abc import Callable

import numpy as np
import pytest

from facecv.adapters.backends.graph.batch import free_batch
from facecv.adapters.backends.graph.channels import pad_channels
from facecv.adapters.backends.graph.editing import Graph
from facecv.adapters.backends.graph.pairs import split_pairs
from facecv.adapters.backends.graph.prelu import rewrite_prelu
from facecv.adapters.backends.graph.rewriting import rewrite
from facecv.adapters.backends.graph.siblings import merge_siblings
from tests.adapters.backends.graph.networks import Drawing, kinds, parsed, pictures, run

BLOCK = 16


def applied(
    drawing: Drawing, outputs: tuple[str, ...], change: Callable[[Graph], bool]
) -> list[str]:
    """Return the operators after a pass, having checked that the answers are the same."""
    shape = (2, *drawing.shape[1:])
    before = run(drawing.model(*outputs), pictures(shape))
    graph = Graph(drawing.model(*outputs))
    change(graph)
    model = graph.finish()
    for old, new in zip(before, run(model, pictures(shape)), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-5, atol=1e-5 * np.abs(old).max())
    return kinds(model)


def _merge(graph: Graph) -> bool:
    return merge_siblings(graph, BLOCK)


def _split(graph: Graph) -> bool:
    return split_pairs(graph, BLOCK)


def _pad(graph: Graph) -> bool:
    return pad_channels(graph, BLOCK)


class TestPrelu:
    @pytest.mark.parametrize("rank", [3, 4])
    def test_becomes_convolutions(self, rank: int) -> None:
        """Slopes below 0 and above 1 are as good as others."""
        drawing = Drawing()
        slopes = drawing.weight(*(1, 8, 1, 1)[4 - rank :])
        y = drawing.add("PRelu", drawing.conv("x", 3, 8), slopes)
        after = applied(drawing, (y,), rewrite_prelu)
        assert after == ["Conv", "Conv", "Relu", "Conv", "Add"]

    def test_positive_values_stay_to_the_last_bit(self) -> None:
        """Only what the slope applies to is rounded."""
        drawing = Drawing(channels=4)
        x = drawing.conv("x", 4, 4, side=1, group=4)
        y = drawing.add("PRelu", x, drawing.weight(4, 1, 1))
        graph = Graph(drawing.model(x, y))
        rewrite_prelu(graph)
        before, after = run(graph.finish(), pictures((2, 4, 8, 8)))
        assert (after[before > 0] == before[before > 0]).all()

    def test_only_where_blocks_come_from(self) -> None:
        """After something that does not leave blocks it would cost more."""
        drawing = Drawing()
        y = drawing.add("PRelu", drawing.add("Exp", "x"), drawing.weight(3, 1, 1))
        assert applied(drawing, (y,), rewrite_prelu) == ["Exp", "PRelu"]

    def test_after_a_sum_of_convolutions(self) -> None:
        """Two blocked tensors make a blocked one; one that is not makes none."""
        for other, expected in (("Conv", False), ("Exp", True)):
            drawing = Drawing(channels=8)
            terms = drawing.conv("x", 8, 8), drawing.add("Exp", "x")
            second = drawing.conv("x", 8, 8) if other == "Conv" else terms[1]
            y = drawing.add("PRelu", drawing.add("Add", terms[0], second), drawing.weight(8, 1, 1))
            assert ("PRelu" in applied(drawing, (y,), rewrite_prelu)) is expected

    @pytest.mark.parametrize("shape", [(1,), (8, 8, 8), (1, 8)])
    def test_other_slopes_stay(self, shape: tuple[int, ...]) -> None:
        """One for all, one a pixel, one a column."""
        drawing = Drawing()
        y = drawing.add("PRelu", drawing.conv("x", 3, 8), drawing.weight(*shape))
        assert "PRelu" in applied(drawing, (y,), rewrite_prelu)


class TestPairs:
    @pytest.mark.parametrize("side", [1, 3])
    def test_become_depthwise(self, side: int) -> None:
        """The channels of a pair are told apart."""
        drawing = Drawing(channels=8)
        y = drawing.conv("x", 8, 8, side=side, group=4)
        assert applied(drawing, (y,), _split) == ["Conv", "Gather", "Conv", "Add"]

    def test_partners_are_swapped_inside_of_whole_blocks(self) -> None:
        """Gathering would leave the blocked layout."""
        drawing = Drawing(channels=2 * BLOCK)
        y = drawing.conv("x", 2 * BLOCK, 2 * BLOCK, group=BLOCK)
        assert applied(drawing, (y,), _split) == ["Conv", "Conv", "Conv", "Add"]

    @pytest.mark.parametrize("group", [1, 2, 8])
    def test_other_groups_stay(self, group: int) -> None:
        """Those of one channel are depthwise already; large ones have a kernel."""
        drawing = Drawing(channels=8)
        assert applied(drawing, (drawing.conv("x", 8, 8, group=group),), _split) == ["Conv"]


class TestSiblings:
    @pytest.mark.parametrize("opset", [11, 17])
    def test_heads_are_one_convolution(self, opset: int) -> None:
        """2 + 8 + 20 channels fill two blocks instead of four."""
        drawing = Drawing(opset=opset)
        heads = [drawing.conv("x", 3, outs) for outs in (2, 8, 20)]
        outputs = tuple(drawing.add("Transpose", head, perm=[0, 2, 3, 1]) for head in heads)
        after = applied(drawing, outputs, _merge)
        assert after == ["Conv", "Split", *["Transpose"] * 3]

    def test_the_split_comes_before_its_readers(self) -> None:
        """Heads that stand far apart in the file are merged where the first one stands."""
        drawing = Drawing()
        first = drawing.add("Sigmoid", drawing.conv("x", 3, 2))
        second = drawing.add("Sigmoid", drawing.conv("x", 3, 8))
        after = applied(drawing, (second, first), _merge)
        assert after == ["Conv", "Split", "Sigmoid", "Sigmoid"]

    def test_not_where_it_saves_nothing(self) -> None:
        """16 and 16 channels are two blocks either way."""
        drawing = Drawing()
        outputs = tuple(drawing.add("Sigmoid", drawing.conv("x", 3, 16)) for _ in range(2))
        after = applied(drawing, outputs, _merge)
        assert "Split" not in after

    def test_not_convolutions_that_differ(self) -> None:
        """Another kernel, other readers."""
        drawing = Drawing()
        outputs = [drawing.add("Sigmoid", drawing.conv("x", 3, 2, side=side)) for side in (1, 3)]
        outputs.append(drawing.conv(drawing.conv("x", 3, 4), 4, 4))
        after = applied(drawing, tuple(outputs), _merge)
        assert "Split" not in after


class TestChannels:
    def test_few_channels_are_filled_up(self) -> None:
        """Through everything that must have the same number of them."""
        drawing = Drawing()
        first = drawing.add("Relu", drawing.conv("x", 3, 12))
        pooled = drawing.add("MaxPool", first, kernel_shape=[2, 2], strides=[2, 2])
        own = drawing.conv(pooled, 12, 12, group=12)
        joined = drawing.add("Add", own, drawing.conv(pooled, 12, 12))
        y = drawing.conv(joined, 12, 5)
        applied(drawing, (y,), _pad)
        graph = Graph(drawing.model(y))
        assert pad_channels(graph, BLOCK)
        shapes = sorted(tuple(one.dims) for one in graph.finish().graph.initializer)
        kernels = [(5, 16, 3, 3), (16, 1, 3, 3), (16, 3, 3, 3), (16, 16, 3, 3)]
        assert shapes == sorted([(5,), *[(16,)] * 3, *kernels])

    @pytest.mark.parametrize("channels", [16, 24, 2])
    def test_not_where_it_helps_nothing(self, channels: int) -> None:
        """Whole blocks, multiples of four, and so few that padding costs more than it saves."""
        drawing = Drawing()
        y = drawing.conv(drawing.add("Relu", drawing.conv("x", 3, channels)), channels, 5)
        assert not pad_channels(Graph(drawing.model(y)), BLOCK)

    def test_not_where_somebody_counts(self) -> None:
        """An output of the network, or an operator that looks at the channels."""
        drawing = Drawing()
        seen = drawing.conv("x", 3, 12)
        y = drawing.conv(seen, 12, 5)
        assert not pad_channels(Graph(drawing.model(y, seen)), BLOCK)
        counted = drawing.add("Softmax", seen, axis=1)
        assert not pad_channels(Graph(drawing.model(y, counted)), BLOCK)


class TestBatch:
    @pytest.mark.parametrize("shape", [[1, -1], [1, 192]])
    def test_becomes_free(self, shape: list[int]) -> None:
        """The answer to two pictures is the answer to each."""
        drawing = Drawing()
        drawing.shape = (1, 3, 8, 8)
        y = drawing.add("Reshape", drawing.conv("x", 3, 3), drawing.constant(shape))
        one = drawing.model(y, axes=(1, 192))
        x = pictures((2, 3, 8, 8))
        expected = np.concatenate([run(one, x[:1])[0], run(one, x[1:])[0]])
        graph = Graph(drawing.model(y, axes=(1, 192)))
        assert free_batch(graph)
        np.testing.assert_array_equal(run(graph.finish(), x)[0], expected)

    def test_weights_keep_their_shape(self) -> None:
        """Some exporters reshape slopes inside the graph."""
        drawing = Drawing()
        drawing.shape = (1, 3, 8, 8)
        slopes = drawing.add("Reshape", drawing.weight(3), drawing.constant([1, 3, 1, 1]))
        y = drawing.add("PRelu", drawing.conv("x", 3, 3), slopes)
        graph = Graph(drawing.model(y, axes=(1, 3, 8, 8)))
        assert free_batch(graph)
        assert run(graph.finish(), pictures((2, 3, 8, 8)))[0].shape == (2, 3, 8, 8)

    @pytest.mark.parametrize(("batch", "rows"), [("N", 1), (1, 192), (2, 2)])
    def test_not_where_it_is_no_batch_of_one(self, batch: int | str, rows: int) -> None:
        """Free already, another number, or outputs that are not one row a picture."""
        drawing = Drawing()
        drawing.shape = (batch, 3, 8, 8)
        y = drawing.add("Reshape", drawing.conv("x", 3, 3), drawing.constant([rows, -1]))
        assert not free_batch(Graph(drawing.model(y, axes=(rows, "k"))))


class TestRewriting:
    def test_says_what_was_done(self) -> None:
        """Passes run one after the other; the answers stay."""
        drawing = Drawing()
        first = drawing.add("PRelu", drawing.conv("x", 3, 12), drawing.weight(12, 1, 1))
        y = drawing.conv(first, 12, 5)
        model = drawing.model(y)
        content, passes = rewrite(model.SerializeToString(), BLOCK)
        assert passes == ("prelu", "channels")
        x = pictures((2, 3, 8, 8))
        for old, new in zip(run(model, x), run(parsed(content), x), strict=True):
            np.testing.assert_allclose(new, old, atol=1e-4)

    def test_nothing_to_do(self) -> None:
        """The content is handed back as it is."""
        drawing = Drawing()
        content = drawing.model(drawing.add("Relu", "x")).SerializeToString()
        assert rewrite(content, BLOCK) == (content, ())

    @pytest.mark.parametrize("content", [b"", b"not a network"])
    def test_what_is_no_network(self, content: bytes) -> None:
        """It is refused, whatever the library raises."""
        with pytest.raises(ValueError, match="cannot be rewritten"):
            rewrite(content, BLOCK)
