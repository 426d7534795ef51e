"""Random choices hang on (seed, epoch, image) alone; the number of workers changes no pixel."""

import pytest
import torch

import paullite as pl
from paullite.data.loading import AnchorPairs, EpochBatches, EpochLoader, ViewPairs, class_numbers, plain_batches
from paullite.data.transforms import evaluation_transform, original_transform, seeded, surrogate_transform
from paullite.errors import InputError

SIZE, NORMAL = (128, 64), ([0.5] * 3, [0.5] * 3)


def views(split: pl.data.Split, seed: int = 0) -> ViewPairs:
    return ViewPairs(split, original_transform(SIZE, NORMAL), surrogate_transform(SIZE, NORMAL), seed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["views", "pairs"])
def test_workers_change_no_pixel(dolls: pl.data.PaperDolls, kind: str) -> None:
    split = dolls.train.take(range(16))
    data = views(split) if kind == "views" else AnchorPairs(split, original_transform(SIZE, NORMAL), 0)
    alone, many = (
        [b for e in (2, 3) for b in EpochLoader(data, len(split), batch=3, seed=0, workers=workers).epoch(e)]
        for workers in (0, 8)
    )
    for a, b in zip(alone, many, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_every_choice_hangs_on_seed_epoch_and_place(dolls: pl.data.PaperDolls) -> None:
    data = views(dolls.train)
    torch.manual_seed(1)
    first = data[3, 5][2]
    torch.rand(100)
    assert torch.equal(first, data[3, 5][2])
    assert not torch.equal(first, data[4, 5][2]) and not torch.equal(first, views(dolls.train, 1)[3, 5][2])


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
    with seeded(0):
        assert not torch.allclose(surrogate_transform(SIZE, NORMAL)(image), plain, atol=0.1)


def test_positive_is_another_image_where_there_is_one(dolls: pl.data.PaperDolls) -> None:
    plain = evaluation_transform(SIZE, NORMAL)
    pairs = AnchorPairs(dolls.train, plain, 0)
    for place in range(len(dolls.train)):
        found, anchor, other, number = pairs[0, place]
        assert found == place and not torch.equal(anchor, other)
        assert number == pairs.classes[place]
    lone = AnchorPairs(dolls.train.take([0]), plain, 0)
    assert torch.equal(*lone[0, 0][1:3])
    same = AnchorPairs(dolls.train, plain, 0, may_be_itself=True)
    assert any(torch.equal(*same[epoch, 0][1:3]) for epoch in range(60))


def test_batches_visit_everything_once() -> None:
    sampler = EpochBatches(10, 4, seed=0)
    batches = list(sampler)
    assert [len(b) for b in batches] == [4, 4, 2] and len(sampler) == 3
    assert sorted(place for batch in batches for _, place in batch) == list(range(10))
    sampler.epoch = 4
    assert batches != list(sampler)


def test_no_image_is_alone_in_a_batch(dolls: pl.data.PaperDolls) -> None:
    sizes = lambda n, batch: [  # noqa: E731
        len(b)
        for _, b in plain_batches(
            dolls.train.take(range(n)), evaluation_transform(SIZE, NORMAL), batch=batch, workers=0
        )
    ]
    assert (sizes(9, 4), sizes(8, 4), sizes(10, 4), sizes(1, 4)) == ([4, 5], [4, 4], [4, 4, 2], [1])


def test_classes_are_in_order_of_identity(dolls: pl.data.PaperDolls) -> None:
    pids = dolls.train.pids or ()
    assert class_numbers(dolls.train) == [sorted(set(pids)).index(p) for p in pids]
    with pytest.raises(InputError, match="without identities"):
        class_numbers(dolls.unlabelled())


def message_of_a_broken_image(folder: object, workers: int) -> str:
    split = pl.data.Split((f"{folder}/absent.jpg",), (1,), (1,))
    try:
        list(EpochLoader(views(split), 1, batch=1, seed=0, workers=workers).epoch(0))
    except InputError as error:
        return str(error)
    return "no error"


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_image_is_named_in_one_line(tmp_path: object, workers: int) -> None:
    message = message_of_a_broken_image(tmp_path, workers)
    assert message.startswith("cannot read the image") and "absent.jpg" in message and "Traceback" not in message
