#!/usr/bin/env python3
"""Records the command line into docs/images/cli.svg: real commands in a real pseudo-terminal, each character shown when it came.

    pip install pyte && cargo build --release -p candle-signature-cli
    scripts/cli/record.py [target/release/candle-signature] [docs/images/cli.svg]

Waits longer than PAUSE are shortened; nothing else is changed. Viewers that know no animation show the last state.
"""

import os
import pty
import select
import sys
import tempfile
import time
from html import escape

import pyte

COLUMNS, LINES, PAUSE = 112, 70, 0.8
CELL_W, CELL_H, PAD = 8.4, 18, 16
SCRIPT = [
    'candle-signature run "passage, question -> answer" -i passage="Ana lives in Rome." -i question="Where does Ana live?"',
    "candle-signature run \"ticket -> urgency: Literal['low', 'high'], tags: list[str], owner: Optional[str]\" \\\n"
    '  -i ticket="The server is down. Assigned to Omar." --stats',
    "candle-signature run \"problem -> answer: int\" --cot < problems.jsonl",
    'candle-signature run "problem -> answer: itn" < problems.jsonl',
    "candle-signature doctor",
]
PROBLEMS = """\
{"id": "a", "problem": "Tom has 3 apples and buys 4 more. How many apples does Tom have?"}
{"id": "b", "problem": "Mia has 12 pens and loses 5. How many pens does Mia have?"}
{"id": "c", "problm": "?"}
"""
COLORS = {
    "default": "#d8dee9", "red": "#e06c75", "green": "#8cc265", "brown": "#e5c07b", "yellow": "#e5c07b",
    "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d8dee9", "black": "#5c6370", "brightblack": "#7f848e",
}


class Recorder:
    """A terminal's cells, and when each got what it shows."""

    def __init__(self):
        self.screen = pyte.Screen(COLUMNS, LINES)
        self.stream = pyte.ByteStream(self.screen)
        self.shown = {}
        self.clock = 0.3

    def feed(self, data):
        # The emulator knows no dimmed text: it is grey.
        self.stream.feed(data.replace(b"\x1b[2m", b"\x1b[90m"))
        for row in sorted(self.screen.dirty):
            for column in range(COLUMNS):
                cell = self.screen.buffer[row][column]
                look = (cell.data, cell.fg, cell.bold)
                if self.shown.get((row, column), (None,))[0] != look:
                    self.shown[row, column] = (look, self.clock)
        self.screen.dirty.clear()

    def type(self, command):
        """The command as if typed: words, a little after one another."""
        self.feed(b"\x1b[32;1m$\x1b[0m ")
        for word in command.replace("\n", "\r\n").split(" "):
            self.feed((word + " ").encode())
            self.clock += 0.06
        self.clock += 0.25
        self.feed(b"\r\n")

    def run(self, command, folder, binary):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.environ.update(
                PATH=f"{os.path.dirname(binary)}:{os.environ['PATH']}", TERM="xterm-256color",
                COLUMNS=str(COLUMNS), HOME="/home/you",
            )
            for name in [name for name in os.environ if name.startswith(("HF_", "CANDLE_"))]:
                del os.environ[name]
            os.execvp("sh", ["sh", "-c", f"stty cols {COLUMNS} rows {LINES}; {command}"])
        last = time.monotonic()
        while True:
            try:
                ready, _, _ = select.select([terminal], [], [], 60)
                data = os.read(terminal, 65536) if ready else b""
            except OSError:
                data = b""
            now = time.monotonic()
            self.clock += min(now - last, PAUSE)
            last = now
            if not data:
                break
            self.feed(data)
        os.waitpid(pid, 0)
        self.clock += 0.8
        self.feed(b"\r\n")

    def svg(self):
        rows = max(row for (row, _), (look, _) in self.shown.items() if look[0].strip()) + 1
        width, height = COLUMNS * CELL_W + 2 * PAD, rows * CELL_H + 2 * PAD
        out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
            'font-family="ui-monospace, \'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="14">',
            f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="#1e222a"/>',
        ]
        for row in range(rows):
            column = 0
            while column < COLUMNS:
                look, when = self.shown.get((row, column), ((" ", "default", False), 0))
                text, end = "", column
                while end < COLUMNS:
                    other, at = self.shown.get((row, end), ((" ", "default", False), 0))
                    if other[1:] != look[1:] or round(at, 2) != round(when, 2):
                        break
                    text, end = text + other[0], end + 1
                if text.strip():
                    lead = len(text) - len(text.lstrip())
                    body = text.strip()
                    x, y = PAD + (column + lead) * CELL_W, PAD + (row + 0.75) * CELL_H
                    color = COLORS.get(look[1], "#" + look[1] if len(look[1]) == 6 else COLORS["default"])
                    bold = ' font-weight="bold"' if look[2] else ""
                    out.append(
                        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}"{bold} textLength="{len(body) * CELL_W:.1f}" '
                        f'lengthAdjust="spacingAndGlyphs" xml:space="preserve">{escape(body)}'
                        f'<set attributeName="visibility" to="hidden" begin="0s" end="{when:.2f}s"/></text>'
                    )
                column = end
        out.append("</svg>")
        return "\n".join(out) + "\n"


def main():
    binary = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/candle-signature")
    if os.path.basename(binary) != "candle-signature" or not os.access(binary, os.X_OK):
        sys.exit(f"{binary} is no built candle-signature: cargo build --release -p candle-signature-cli")
    target = sys.argv[2] if len(sys.argv) > 2 else "docs/images/cli.svg"
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "problems.jsonl"), "w") as file:
            file.write(PROBLEMS)
        for command in SCRIPT:
            recorder.type(command)
            recorder.run(command, folder, binary)
    beside = target + ".tmp"
    with open(beside, "w") as file:
        file.write(recorder.svg())
    os.replace(beside, target)
    print(f"{target}: {recorder.clock:.1f} s")


if __name__ == "__main__":
    main()
