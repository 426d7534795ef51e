"""Wrong answers to exercise 11.2, each another misconception; and other right ones."""

import math


def simulated(steps, every, step, save, start, session, **changes):
    """The right way, by steps that can be changed one at a time."""
    rule = {"late": False, "whole": False, "last_save": True, "starts": True, "saves": True, "never": None} | changes
    done = count = 0
    while done < steps:
        before, clock = done, start if rule["starts"] or not count else 0
        while done < steps:
            block = every if rule["whole"] else min(every, steps - done)
            last = done + block >= steps
            saving = save if rule["saves"] and (rule["last_save"] or not last) else 0
            clock += block * step + saving
            if clock >= session if rule["late"] else clock > session:
                break
            done += block
        if done == before:
            return rule["never"]
        count += 1
    return count


def all_time_divided(steps, every, step, save, start, session):
    """All seconds of the run, divided by those of a session: nothing is ever lost."""
    seconds = steps * step + math.ceil(steps / every) * save
    return math.ceil(seconds / (session - start)) if session > start else None


def saving_is_free(*given):
    """A checkpoint takes no time."""
    return simulated(*given, saves=False)


def starts_only_once(*given):
    """Later sessions begin with a step."""
    return simulated(*given, starts=False)


def no_start(steps, every, step, save, start, session):
    """The start is forgotten."""
    return simulated(steps, every, step, save, 0, session)


def exact_is_late(*given):
    """What ends with the session is lost."""
    return simulated(*given, late=True)


def only_whole_blocks(*given):
    """The last block is as long as the others."""
    return simulated(*given, whole=True)


def end_is_not_saved(*given):
    """The end of the run needs no checkpoint."""
    return simulated(*given, last_save=False)


def never_is_infinite(*given):
    """Infinity for a run that never ends."""
    return simulated(*given, never=math.inf)


def counted_from_zero(*given):
    """The first session has number 0."""
    found = simulated(*given)
    return None if found is None else found - 1


def part_of_a_session(steps, every, step, save, start, session):
    """A share of a session is given."""
    blocks = (session - start) // (every * step + save)
    return steps / (blocks * every) if blocks > 0 else None


def half_written_counts(steps, every, step, save, start, session):
    """A checkpoint counts from the moment in which writing begins."""
    return simulated(steps, every, step, save, start, session + save)


def one_save_a_session(steps, every, step, save, start, session):
    """Only the last checkpoint of a session takes time."""
    return simulated(steps, every, step, 0, start + save, session)


def by_division(steps, every, step, save, start, session):
    """Right: whole blocks of a session by division."""
    block, room, count = every * step + save, session - start, 0
    while steps > 0:
        whole, rest = divmod(steps, every)
        count += 1
        if whole * block + (rest * step + save) * (rest > 0) <= room:
            return count
        if room < block:
            return None
        steps -= room // block * every
    return count


def recursive(steps, every, step, save, start, session):
    """Right: one session, then the rest of the run."""
    left, clock = steps, start
    while left and clock + min(every, left) * step + save <= session:
        clock += min(every, left) * step + save
        left -= min(every, left)
    if left == steps:
        return None
    if not left:
        return 1
    rest = recursive(left, every, step, save, start, session)
    return None if rest is None else 1.0 + rest


WRONG = (
    all_time_divided,
    saving_is_free,
    starts_only_once,
    no_start,
    exact_is_late,
    only_whole_blocks,
    end_is_not_saved,
    never_is_infinite,
    counted_from_zero,
    part_of_a_session,
    half_written_counts,
    one_save_a_session,
)

OTHER_RIGHT = (by_division, recursive)
