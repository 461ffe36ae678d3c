"""How the demo looks: calm, aligned, few colours, and readable without any."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.status import Status
from rich.text import Text

WIDTH = 92  # columns; longer lines are hard to read
RESULTS = {"compliant": ("✓", "green"), "violation": ("✗", "red"), "gap": ("?", "yellow")}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What `doing` gives: lets its spinner go before the block ends."""

    status: Status | None

    def over(self) -> None:
        """Takes the spinner away."""
        if self.status is not None:
            self.status.stop()


class Show:
    """Lines on a console, as things happen. Without a terminal there is no spinner and no bar."""

    def __init__(self, *, on_stderr: bool = False) -> None:
        console = Console(stderr=on_stderr, highlight=False)
        console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
        self._console = console
        self._plain = console.encoding.lower().replace("-", "") not in ("utf8", "utf16")

    def opening(self, title: str, text: str) -> None:
        """What this is about, before anything happens."""
        self._console.print()
        self._console.print(Text(title, style="bold"))
        self._lines(text, "", 0)

    def section(self, title: str, aside: str = "") -> None:
        """A heading, and what it is about."""
        self._console.print()
        self._console.print(Text.assemble((title, "bold"), (f"  {aside}" if aside else "", "dim")))

    @contextmanager
    def doing(self, text: str) -> Iterator["Waiting"]:
        """A spinner while something goes on; nothing is left of it afterwards."""
        if not self._console.is_terminal:
            yield Waiting(None)
            return
        spinner = "line" if self._plain else "dots"
        with self._console.status(Text(f"  {text}", style="dim"), spinner=spinner) as status:
            yield Waiting(status)

    def done(self, text: str, aside: str = "") -> None:
        """Something that worked."""
        self._marked("✓", "green", text, aside)

    def refused(self, text: str, code: str, why: str) -> None:
        """Something that was tried and refused, as it should be."""
        self._marked("✗", "red", text, f"refused: {code}")
        self._lines(why, "dim", 4)

    def failed(self, text: str) -> None:
        """Something that should have held and did not."""
        self._marked("✗", "bold red", text, "")

    def finding(self, result: str, detail: str) -> None:
        """One finding of a machine."""
        mark, style = RESULTS[result]
        self._marked(mark, style, detail, "", "dim")

    def decision(self, who: str, role: str, outcome: str, reason: str) -> None:
        """What a person decided, and why."""
        line = Text.assemble((who, "bold"), f", {role}: ", (outcome, "bold green"))
        self._row(Text(self._spelt("→"), style="bold"), line)
        self._lines(f"“{reason}”", "italic", 4)

    def note(self, text: str) -> None:
        """A line that explains."""
        self._lines(text, "", 4)

    def facts(self, rows: Mapping[str, str]) -> None:
        """Names and values, aligned. Values stay whole, so that they can be copied."""
        wide = max(map(len, rows))
        for name, value in rows.items():
            line = Text.assemble(("    " + name.ljust(wide + 2), "dim"), self._spelt(value))
            self._console.print(line, soft_wrap=True)

    def counts(self, rows: list[tuple[str, int, str]]) -> None:
        """A small table: a word, a number, and what it means."""
        wide = max((len(word) for word, _, _ in rows), default=0)
        digits = max((len(f"{number:,}") for _, number, _ in rows), default=0)
        for word, number, meaning in rows:
            line = f"    {word.ljust(wide)}  {number:>{digits},}  "
            self._console.print(Text.assemble(line, (self._spelt(meaning), "dim")))

    def listed(self, rows: list[tuple[str, str]]) -> None:
        """A short list at the end: a code, and what it stands for."""
        wide = max((len(code) for code, _ in rows), default=0)
        for code, what in rows:
            self._marked("✗", "red", f"{code.ljust(wide)}   {what}", "")

    def bar(self) -> Progress:
        """A progress bar that leaves nothing behind."""
        return Progress(
            TextColumn("    {task.description}", style="dim"),
            BarColumn(bar_width=40, complete_style="green", finished_style="green"),
            TextColumn("{task.completed:,.0f} photos"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def _marked(self, mark: str, style: str, text: str, aside: str, text_style: str = "") -> None:
        self._row(
            Text(self._spelt(mark), style=style), Text(self._spelt(text), style=text_style), aside
        )

    def _row(self, mark: Text, text: Text, aside: str = "") -> None:
        """A mark, the text wrapped beside it, and something at the right end of its first line."""
        aside = self._spelt(aside)
        room = self._console.width - 4 - (len(aside) + 2 if aside else 0)
        for number, line in enumerate(text.wrap(self._console, room)):
            line.rstrip()
            shown = Text.assemble("  ", mark, " ", line) if number == 0 else Text("    ") + line
            if aside and number == 0:
                gap = self._console.width - shown.cell_len - len(aside)
                shown = Text.assemble(shown, " " * gap, (aside, "dim"))
            self._console.print(shown)

    def _lines(self, text: str, style: str, indent: int) -> None:
        shown = Text(self._spelt(text), style=style)
        for line in shown.wrap(self._console, self._console.width - indent):
            line.rstrip()
            self._console.print(Text(" " * indent) + line)

    def _spelt(self, text: str) -> str:
        """Without a UTF-8 terminal the few signs we use have plain stand-ins."""
        if not self._plain:
            return text
        for sign, plain in ("✓", "+"), ("✗", "x"), ("→", ">"), ("“", '"'), ("”", '"'):
            text = text.replace(sign, plain)
        return text.encode("ascii", "replace").decode()
