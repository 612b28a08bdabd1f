"""What is wrong with a folder of mappings, and where."""

from __future__ import annotations


class MappingError(Exception):
    """A folder, file or mapping that cannot be served; ``where`` is ``file:line:column`` or the folder."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why
