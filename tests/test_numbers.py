"""The numbers of a figure are read off it, whatever it was drawn with."""

import re

import numpy as np
from paulbook import figures
from paulbook.numbers import MOST_ROWS, lacks_numbers, read_off
from PIL import Image


def columns(figure) -> list[dict]:
    """Only the columns of its tables."""
    return [table.columns for table in read_off(figure)]


def test_lines_with_the_same_places_share_a_table() -> None:
    figure, axes = figures.plot()
    axes.plot([1, 2], [0.5, 0.25], label="loss")
    axes.plot([1, 2], [3, 4], label="rank-1")
    axes.plot([0, 9], [7, 7], label="elsewhere")
    axes.plot([1, 2], [9, 9], label="_helper")
    axes.axhline(8, label="ruler")
    axes.set_xlabel("epoch")
    first = {"epoch": ["1", "2"], "loss": ["0.5", "0.25"], "rank-1": ["3", "4"]}
    assert columns(figure) == [first, {"epoch": ["0", "9"], "elsewhere": ["7", "7"]}]


def test_a_legend_of_words_names_the_lines() -> None:
    figure, axes = figures.plot()
    axes.plot([1, 2], [3, 4])
    axes.plot([1, 2], [5, 6])
    axes.legend(["a", "b"])
    assert columns(figure) == [{"x": ["1", "2"], "a": ["3", "4"], "b": ["5", "6"]}]


def test_bars_of_a_group_stand_at_their_tick_upright_or_lying() -> None:
    for lying in (False, True):
        figure, axes = figures.plot()
        for shift, name in ((-0.2, "before"), (0.2, "after")):
            places = np.arange(2) + shift
            (axes.barh if lying else axes.bar)(places, [1 + shift, 2 + shift], 0.4, label=name)
        (axes.set_yticks if lying else axes.set_xticks)([0, 1], ["direct", "PAUL"])
        expected = {"x": ["direct", "PAUL"], "before": ["0.8", "1.8"], "after": ["1.2", "2.2"]}
        assert columns(figure) == [expected]


def test_error_bars_give_their_ends() -> None:
    figure, axes = figures.plot()
    axes.errorbar([1, 2], [10, 20], yerr=[[1, 2], [3, 4]], label="gain")
    expected = {"x": ["1", "2"], "gain": ["10", "20"], "gain from": ["9", "18"], "gain to": ["13", "24"]}
    assert columns(figure) == [expected]


def test_stairs_give_the_value_from_each_edge_on() -> None:
    figure, axes = figures.plot()
    axes.stairs([0.1, 0.01], [0, 1, 2], label="rate")
    assert columns(figure) == [{"x": ["0", "1"], "rate": ["0.1", "0.01"]}]


def test_points_and_long_lines_are_thinned_and_keep_their_ends() -> None:
    figure, axes = figures.plot()
    axes.scatter(range(100), range(100), label="people")
    (table,) = columns(figure)
    assert len(table["x"]) == MOST_ROWS and table["people"][0] == "0" and table["people"][-1] == "99"


def test_a_small_picture_of_numbers_is_read_a_photograph_is_not() -> None:
    figure, axes = figures.plot(1, 2)
    axes[0].imshow([[0.5, 1], [2, 3]])
    axes[0].set_title("attention")
    axes[1].imshow(np.zeros((64, 32, 3)))
    (table,) = read_off(figure)
    assert table == ("attention", {"row": ["0", "1"], "column 0": ["0.5", "2"], "column 1": ["1", "3"]})


def test_a_figure_whose_numbers_cannot_be_read_is_marked() -> None:
    figure, axes = figures.plot()
    axes.vlines([1, 2], 0, [3, 4])
    axes.set(xlabel="K", ylabel="loss")
    assert lacks_numbers(figure)
    assert "data-numbers=unread" in figures.show(figure, alt="Two lines.").html
    shown = figures.show(figure, alt="Two lines.", numbers={"K": [1, 2], "loss": [3, 4.5]}).html
    assert "unread" not in shown and "<td>2</td><td>4.5</td>" in shown


def test_each_frame_has_a_table_of_its_own_and_a_photograph_none() -> None:
    def draw(k: int):
        figure, axes = figures.plot()
        axes.plot([0, 1], [0, k], label="<K>")
        return figure

    html = figures.frames(draw, [1, 2], label="K", alt="A line for K = {}.").html
    assert re.findall(r"<td>1</td><td>(\d)</td>", html) == ["1", "2"] and "&lt;K&gt;" in html
    assert html.count("<details class=paul-numbers>") == 1
    assert "<details" not in figures.show(Image.new("RGB", (8, 8)), alt="A black square.").html
