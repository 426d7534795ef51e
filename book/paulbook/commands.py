"""The command for teachers: ``paulbook marks``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg


def marks(
    folder: Annotated[Positional[str], arg(metavar="FOLDER", help="Folder with what students have handed in.")],
    /,
    output: str = "marks.csv",
    run: bool = False,
    minutes: float = 10.0,
    assignment: str = "",
    container: Literal["auto", "always", "never"] = "auto",
    image: str = "",
    force: bool = False,
) -> None:
    """Collect the marks of many students in one table.

    Reads the files that pb.check_report wrote. These can be edited by their owners. With --run the notebooks are run
    again instead. That runs foreign code, in a container without a network where Docker and its image are there.

    Args:
        output: The table, a .csv or .json file.
        run: Run every notebook of the folder again in a fresh kernel, instead of reading files.
        minutes: Time for one notebook.
        assignment: With --run: mark the exercises of this assignment, whatever a notebook asks for.
        container: With --run: auto takes a container if it can, always insists on one, never takes none.
        image: With --run: the container's image, if not paulbook:VERSION; book/grading/Dockerfile makes it.
        force: Replace a table that is there.
    """
    from .collecting import collect

    how: dict[str, Any] = {"container": container, "image": image, "force": force}
    print(f"written: {collect(folder, output, run=run, minutes=minutes, assignment=assignment, **how)}")
