"""Which images are in which batch, and with whom. Their views are tested in `tests.test_views`."""

import dataclasses
from itertools import chain
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

import paullite as pl
from paullite.data.loading import IdentityPairs, SurrogatePairs, class_numbers
from paullite.data.reading import ImageStore, PixelReader, Pixels, parts_of, stored_size
from paullite.data.transforms import evaluation_transform, seeded
from paullite.errors import InputError

SIZE, NORMAL = (128, 64), ([0.5] * 3, [0.5] * 3)
CPU = torch.device("cpu")


def pairs_of(kind: type[Any], split: pl.data.Split, **changes: Any) -> Any:
    preset = pl.PRESETS["paperdolls"]
    config = dataclasses.replace(
        preset.adapt if kind is SurrogatePairs else preset.pretrain, **{"workers": 0, **changes}
    )
    return kind(split, SIZE, NORMAL, config)


def everything(batches: Any, *epochs: int) -> list[tuple[Tensor, ...]]:
    return [batch for epoch in epochs for batch in batches.epoch(epoch)]


@pytest.mark.parametrize("kind", [SurrogatePairs, IdentityPairs])
@pytest.mark.parametrize("changes", [{"workers": 2, "image_memory": 0}, {"image_memory": 0}, {"workers": 1}])
def test_workers_change_no_pixel(dolls: pl.data.PaperDolls, kind: type[Any], changes: dict[str, int]) -> None:
    """Nor does the memory that images may take."""
    split = dolls.train.take(range(10))
    plain = everything(pairs_of(kind, split, batch=3), 2, 3)
    many = everything(pairs_of(kind, split, batch=3, **changes), 2, 3)
    for a, b in zip(plain, many, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("kind", [SurrogatePairs, IdentityPairs])
def test_every_choice_hangs_on_seed_epoch_and_place(dolls: pl.data.PaperDolls, kind: type[Any]) -> None:
    batches = pairs_of(kind, dolls.train, batch=7)
    torch.manual_seed(1)
    (index, *first), *_ = everything(batches, 3)
    torch.rand(100)
    (again, *second), *_ = everything(batches, 3)
    assert torch.equal(index, again) and all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    for other in (everything(batches, 4)[0][0], everything(pairs_of(kind, dolls.train, batch=7, seed=1), 3)[0][0]):
        assert not torch.equal(index, other)


@pytest.mark.parametrize("kind", [SurrogatePairs, IdentityPairs])
def test_a_run_that_goes_on_sees_the_batches_that_are_left(dolls: pl.data.PaperDolls, kind: type[Any]) -> None:
    batches = pairs_of(kind, dolls.train.take(range(11)), batch=4)
    all_of_them, left = everything(batches, 1), list(batches.epoch(1, first=1))
    assert len(batches) == len(all_of_them) == 3 and len(left) == 2
    for a, b in zip(all_of_them[1:], left, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_each_process_makes_the_views_of_its_share(dolls: pl.data.PaperDolls) -> None:
    """The index is of the whole batch; the views together are those of one process."""
    split, config = dolls.train.take(range(9)), dataclasses.replace(pl.PRESETS["paperdolls"].adapt, batch=4, workers=0)
    alone = everything(SurrogatePairs(split, SIZE, NORMAL, config), 0)
    halves = [
        everything(SurrogatePairs(split, SIZE, NORMAL, config, share=lambda part, r=r: part[r::2]), 0) for r in (0, 1)
    ]
    for (index, *views), (first, *evens), (second, *odds) in zip(alone, *halves, strict=True):
        assert torch.equal(index, first) and torch.equal(index, second)
        for whole, even, odd in zip(views, evens, odds, strict=True):
            assert torch.equal(whole[0::2], even)
            assert torch.equal(whole[1::2], odd) or (len(whole) == 1 and torch.equal(whole, odd))  # a filler


def test_seeding_does_not_leak() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    with seeded(1, 2, 3):
        torch.rand(10)
    assert torch.equal(torch.rand(3), expected)


def test_surrogate_is_another_picture_and_evaluation_is_not(dolls: pl.data.PaperDolls) -> None:
    image = dolls.train[0].image
    plain = evaluation_transform(SIZE, NORMAL)(image)
    assert torch.equal(plain, evaluation_transform(SIZE, NORMAL)(image)) and plain.abs().max() <= 1
    _, original, surrogate = next(pairs_of(SurrogatePairs, dolls.train.take([0]), batch=1).epoch(0))
    assert torch.allclose(original[0], plain, atol=1e-6) or torch.allclose(original[0], plain.flip(-1), atol=1e-6)
    assert not any(torch.allclose(surrogate[0], x, atol=0.1) for x in (plain, plain.flip(-1)))


def test_positive_is_another_image_where_there_is_one(dolls: pl.data.PaperDolls) -> None:
    split = dolls.train
    pairs = pairs_of(IdentityPairs, split)
    pids = split.pids or ()
    everybody = list(range(len(split)))
    chosen: list[set[int]] = [set() for _ in everybody]
    for epoch in range(200):
        for place, other in enumerate(pairs.positives(epoch, everybody)):
            assert other != place and pids[other] == pids[place]
            chosen[place].add(other)
    mates = [{j for j in everybody if pids[j] == pids[i] and j != i} for i in everybody]
    assert chosen == mates  # each of them sooner or later
    assert pairs_of(IdentityPairs, split.take([0])).positives(0, [0]) == [0]
    same = pairs_of(IdentityPairs, split, positive_may_be_anchor=True)
    assert 0 in {same.positives(epoch, [0])[0] for epoch in range(300)}


def test_a_pair_and_its_label(dolls: pl.data.PaperDolls) -> None:
    """Both images of a pair are those that were chosen, mirrored or not, each on its own."""
    split = dolls.train.take(range(12))
    pairs, seen = pairs_of(IdentityPairs, split, batch=5), []
    plain = torch.cat(list(pairs.plain([list(range(12))])))
    for index, anchors, positives, labels in pairs.epoch(2):
        assert labels.tolist() == [pairs.classes[i] for i in index.tolist()]
        chosen = pairs.positives(2, index.tolist())
        for views, places in ((anchors, index.tolist()), (positives, chosen)):
            for view, place in zip(views, places, strict=True):
                seen.append(torch.equal(view, plain[place].flip(-1)))
                assert seen[-1] or torch.equal(view, plain[place])
    assert 4 < sum(seen) < 20 and len(seen) == 24


def test_both_images_of_a_pair_are_mirrored_independently(dolls: pl.data.PaperDolls) -> None:
    pairs, seen = pairs_of(IdentityPairs, dolls.train, positive_may_be_anchor=False), []
    plain = torch.cat(list(pairs.plain([list(range(len(dolls.train)))])))
    for epoch in range(3):
        for index, anchors, positives, _ in pairs.epoch(epoch):
            places = index.tolist()
            a = [not torch.equal(x, plain[i]) for x, i in zip(anchors, places, strict=True)]
            b = [not torch.equal(x, plain[i]) for x, i in zip(positives, pairs.positives(epoch, places), strict=True)]
            seen += zip(a, b, strict=True)
    shares = [seen.count(both) / len(seen) for both in ((False, False), (False, True), (True, False), (True, True))]
    assert len(seen) > 90 and min(shares) > 0.1


@pytest.mark.parametrize("kind", [SurrogatePairs, IdentityPairs])
def test_batches_visit_everything_once(dolls: pl.data.PaperDolls, kind: type[Any]) -> None:
    batches = pairs_of(kind, dolls.train.take(range(10)), batch=4)
    first, later = ([batch[0].tolist() for batch in batches.epoch(epoch)] for epoch in (0, 4))
    assert [len(b) for b in first] == [4, 4, 2] and len(batches) == 3
    assert sorted(chain(*first)) == sorted(chain(*later)) == list(range(10)) and first != later


def test_no_image_is_alone_in_a_batch() -> None:
    sizes = lambda n, batch, least=2: [len(part) for part in parts_of(n, batch, least)]  # noqa: E731
    assert (sizes(9, 4), sizes(8, 4), sizes(10, 4), sizes(1, 4)) == ([4, 5], [4, 4], [4, 4, 2], [1])
    assert (sizes(10, 4, 3), sizes(0, 4), sizes(5, 8)) == ([4, 6], [], [5])
    assert list(chain(*parts_of(9, 4, 2))) == list(range(9))


def test_classes_are_in_order_of_identity(dolls: pl.data.PaperDolls) -> None:
    pids = dolls.train.pids or ()
    assert class_numbers(dolls.train) == [sorted(set(pids)).index(p) for p in pids]
    with pytest.raises(InputError, match="without identities"):
        class_numbers(dolls.unlabelled())


def test_pixels_are_a_data_set_for_any_loader(dolls: pl.data.PaperDolls) -> None:
    pixels = Pixels(dolls.train, (64, 32))
    assert len(pixels) == len(dolls.train)
    images, forms = next(iter(DataLoader(pixels, batch_size=3)))
    assert images.shape == (3, 3, 64, 32) and images.dtype == torch.uint8 and forms.tolist() == [2.0] * 3


def test_images_travel_and_are_kept_as_bytes(dolls: pl.data.PaperDolls) -> None:
    """The memory is a limit: what fits is kept as one tensor, what does not is read in every epoch."""
    few = dolls.train.take(range(43))  # 43 * 3 * 128 * 64 bytes are 1.008 MiB
    store = ImageStore(few, SIZE, CPU, memory=2)
    assert store.pixels is not None and store.pixels.dtype == torch.uint8 and store.pixels.shape == (43, 3, *SIZE)
    assert ImageStore(few, SIZE, CPU, memory=1).pixels is None is ImageStore(few, SIZE, CPU, memory=0).pixels
    assert ImageStore(few.take(range(42)), SIZE, CPU, memory=1).pixels is not None
    read = PixelReader(few, SIZE, CPU).batches([[5, 3]])
    assert torch.equal(next(read)[0], next(store.batches([[5, 3]]))[0])


def test_small_images_of_one_size_keep_it(tmp_path: Path) -> None:
    def split(*sizes: tuple[int, int]) -> pl.data.Split:
        for i, size in enumerate(sizes):
            Image.new("RGB", size).save(tmp_path / f"{i}.png")
        return pl.data.Split.from_rows([(str(tmp_path / f"{i}.png"), 1, 1) for i in range(len(sizes))])

    assert stored_size(split((32, 64), (32, 64)), SIZE) == (64, 32)
    assert stored_size(split((64, 128)), SIZE) == SIZE
    assert stored_size(split((32, 64), (32, 65)), SIZE) == SIZE
    assert stored_size(split((65, 64), (65, 64)), SIZE) == SIZE
    assert stored_size(split((32, 64), (128, 256)), SIZE) == SIZE


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_image_is_named_in_one_line(tmp_path: Path, workers: int) -> None:
    split = pl.data.Split.from_rows([(f"{tmp_path}/absent.jpg", 1, 1)])
    with pytest.raises(InputError) as error:
        list(PixelReader(split, SIZE, CPU, workers=workers).batches([[0]]))
    message = str(error.value)
    del error  # the last that holds the reader
    assert message.startswith("cannot read the image") and "absent.jpg" in message and "Traceback" not in message


class Failing(pl.data.Split):
    """Its pictures end in an error of the user's own."""

    def __getitem__(self, index: Any) -> Any:
        raise MEMORY if index else KeyError("no such film")


MEMORY = RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: No space left on device (28)")


@pytest.mark.parametrize(("place", "words"), [(0, "KeyError: 'no such film'"), (1, "No space left"), (1, "/dev/shm")])
def test_the_reason_of_a_failed_worker_is_its_last_line(place: int, words: str) -> None:
    split, before = Failing(("a", "b"), None, None), set(active_children())
    with pytest.raises(InputError) as error:
        list(PixelReader(split, SIZE, CPU, workers=1).batches([[place]]))
    message = str(error.value)
    del error  # the last that holds the reader
    assert set(active_children()) <= before, "the worker goes on until Python collects its garbage"
    assert message.startswith("a process that reads images failed (") and words in message
    assert "Traceback" not in message and "\n" not in message
