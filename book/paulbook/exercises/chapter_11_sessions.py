"""Exercise 11.2: how many sessions a run needs if every session is ended without warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..agreement import Draw, agrees
from ..exercise import Exercise, Wrong, expect

Sessions = Callable[..., Any]


def sessions_needed(steps: int, every: int, step: int, save: int, start: int, session: int) -> int | None:
    """How many sessions a run of so many steps needs, or ``None`` if it never ends: the book's own answer.

    Args:
        steps: of the whole run.
        every: steps between two checkpoints; the last steps of the run are saved as well, even if they are fewer.
        step: seconds of a step.
        save: seconds that writing a checkpoint takes; it counts once it is complete.
        start: seconds at the beginning of each session, before its first step.
        session: seconds after which a session is ended without warning.

    >>> sessions_needed(steps=10, every=4, step=1, save=1, start=2, session=12)
    2
    """
    done = count = 0
    while done < steps:
        before, clock = done, start
        while done < steps:
            block = min(every, steps - done)
            clock += block * step + save
            if clock > session:
                break
            done += block
        if done == before:
            return None
        count += 1
    return count


def asked(sessions: Sessions, **given: int) -> Any:
    """What an answer gives: a whole number, or None."""
    found = sessions(*given.values())
    if found is None:
        return None
    try:
        number = float(found)
    except (TypeError, ValueError) as error:
        raise Wrong(f"The result is {found!r}. A number of sessions or None is expected.") from error
    expect(number == number, "The result is not a number (nan). Return None if the run never ends.")
    expect(
        number != float("inf"), "A run that never ends should give None, so that nobody takes infinity for a number."
    )
    expect(number == int(number), f"The result is {number:g}. A session that has begun counts as a whole one.")
    return int(number)


def said(given: dict[str, int]) -> str:
    """The case in words."""
    return (
        f"A run of {given['steps']} steps saves every {given['every']}; a step takes {given['step']} s, a save "
        f"{given['save']} s, the start {given['start']} s, and a session lasts {given['session']} s."
    )


def compared(sessions: Sessions, given: dict[str, int], slips: dict[int, str], last: str) -> None:
    """Compares with the book's answer, with a reason for each number that a known mistake would give."""
    wanted, found = sessions_needed(**given), asked(sessions, **given)
    case = said(given)
    expect(found is not None, f"{case} Yours says that it never ends, but every session saves something.")
    if found != wanted:
        raise Wrong(f"{case} It needs {wanted} sessions, yours gives {found}. {slips.get(found, last)}")


def one_session_is_enough(sessions: Sessions) -> None:
    """A short run ends in its first session."""
    given = {"steps": 10, "every": 5, "step": 2, "save": 1, "start": 3, "session": 100}
    found = asked(sessions, **given)
    expect(found != 0, f"{said(given)} It ends in its first session, and that one counts: 1, not 0.")
    compared(sessions, given, {2: "Does a session that ends the run count twice?"}, "Follow the clock of one session.")


def only_saved_steps_count(sessions: Sessions) -> None:
    """What comes after the last checkpoint of a session is lost."""
    given = {"steps": 390, "every": 30, "step": 1, "save": 0, "start": 0, "session": 50}
    slips = {8: "The 20 steps after the last checkpoint are lost in every session. Only 30 remain."}
    compared(sessions, given, slips, "How many steps does a session add that the next one finds again?")


def saving_takes_time(sessions: Sessions) -> None:
    """Every checkpoint needs its seconds, in which no step is made."""
    given = {"steps": 400, "every": 10, "step": 1, "save": 10, "start": 0, "session": 105}
    slips = {
        4: "Writing a checkpoint takes 10 s as well, so that only five blocks fit into a session.",
        5: "Every checkpoint takes 10 s, and not only the first or the last one of a session.",
    }
    compared(sessions, given, slips, "How long do ten steps and their checkpoint take together?")


def every_session_starts_again(sessions: Sessions) -> None:
    """Installing and loading is repeated in every session."""
    given = {"steps": 400, "every": 10, "step": 1, "save": 0, "start": 40, "session": 105}
    slips = {
        4: "Each session loses its first 40 s, because everything is installed and loaded again.",
        5: "Not only the first session begins with 40 s without a step. All of them do.",
    }
    compared(sessions, given, slips, "How many seconds of a session are left for steps?")


def a_save_must_be_complete(sessions: Sessions) -> None:
    """A checkpoint that ends exactly with the session counts, one that ends a second later does not."""
    given = {"steps": 50, "every": 10, "step": 1, "save": 5, "start": 0, "session": 30}
    exact = "The second checkpoint is complete at 30 s, exactly when the session ends, so it counts."
    compared(sessions, given, {5: exact}, "Two blocks of 15 s fit into 30 s.")
    given["session"] = 27
    slips = {
        3: "The second checkpoint would be complete at 30 s, which is too late, although writing began in time.",
        4: "The end of the run has to be saved as well, and this must be complete before the session ends.",
    }
    compared(sessions, given, slips, "A checkpoint that is half written does not count.")


def the_last_block_is_shorter(sessions: Sessions) -> None:
    """At the end of the run fewer steps than usual may be left to save."""
    given = {"steps": 25, "every": 10, "step": 1, "save": 1, "start": 0, "session": 29}
    whole = "The last five steps need 6 s and not 11 s, so that they still fit into the first session."
    compared(sessions, given, {2: whole}, "Only five steps remain after the second checkpoint.")


def some_runs_never_end(sessions: Sessions) -> None:
    """If no checkpoint fits into a session, no session adds anything."""
    given = {"steps": 100, "every": 50, "step": 1, "save": 1, "start": 0, "session": 40}
    found = asked(sessions, **given)
    expect(found is None, f"{said(given)} No session reaches its first checkpoint, so None is right, not {found}.")


def second_by_second(steps: int, every: int, step: int, save: int, start: int, session: int) -> int | None:
    """The same by the number of whole blocks in a session."""
    block = every * step + save
    room = session - start
    fits = room // block if room >= block else 0
    count = 0
    while True:
        count += 1
        whole, rest = divmod(steps, every)
        if whole * block + (rest * step + save if rest else 0) <= room:
            return count
        if not fits:
            return None
        steps -= fits * every


def some_run(draw: Draw) -> tuple[int, ...]:
    """Some of them end in one session, and some never."""
    every, step, save, start = (int(draw.integers(low, high)) for low, high in ((2, 40), (1, 4), (0, 30), (0, 60)))
    session = start + int(draw.uniform(0.7, 6) * (every * step + save))
    return int(draw.integers(1, 400)), every, step, save, start, session


EXERCISES = (
    Exercise(
        "sessions_needed",
        11,
        sessions_needed,
        (
            one_session_is_enough,
            only_saved_steps_count,
            saving_takes_time,
            every_session_starts_again,
            a_save_must_be_complete,
            the_last_block_is_shorter,
            some_runs_never_end,
            agrees(second_by_second, some_run, times=40, hint="Follow the clock of one session, block by block."),
        ),
        example=lambda: (10, 4, 1, 1, 2, 12),
        plain=True,
    ),
)
