"""What a planted defect is."""

from pathlib import Path
from typing import NamedTuple


class Bug(NamedTuple):
    """A defect: where ``right`` stands in a shipped module, exactly once, ``wrong`` is put instead.

    Attributes:
        name: What goes wrong.
        module: The module's path, from its distribution's root.
        right: What stands there.
        wrong: What is planted.
        tests: The tests that must find it; empty for those of its suite.
    """

    name: str
    module: str
    right: str
    wrong: str
    tests: str = ""

    def plant(self, into: Path) -> None:
        """Put it into a copy of the packages.

        Raises:
            ValueError: The text is gone: the module was changed, and the defect must follow.
        """
        module = into / self.module
        source = module.read_text()
        if source.count(self.right) != 1:
            raise ValueError(f"{self.name}: its text is not in {self.module} any more; adapt tests/planted")
        module.write_text(source.replace(self.right, self.wrong))
