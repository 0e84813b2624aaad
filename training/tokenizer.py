"""The byte-level BPE: how text is split, how the vocabulary is trained, and a fast encoder for training.

Two choices make copying easy for a small network. A space stays with the word after it only for function words, so that a
content word has the same tokens wherever it stands (in a sentence, at a reply's start, within JSON quotes). The prompt's
fixed phrases are split off whole, so that each becomes one token.
"""

from __future__ import annotations

import json
import random
import re
from array import array
from functools import lru_cache
from pathlib import Path
from typing import Iterable

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from .prompt import STRUCTURE_INTRO, Record, chat

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
PROMPT, DEMO, REPLY = 0, 1, 2
RESPELLED_WORDS = 0.4
FIXED = {"null", "true", "false", "str", "int", "float", "bool", "list", "dict", "Optional", "Literal"}
Spelled = dict[str, list[int]]

PHRASES = [
    "Your input fields are:\n",
    "Your output fields are:\n",
    STRUCTURE_INTRO + "\n\n",
    "[[ ## completed ## ]]\n",
    "[[ ## completed ## ]]",
    "In adhering to this structure, your objective is: \n        ",
    "        # note: the value you produce must ",
    "Respond with the corresponding output fields, starting with the field `[[ ## ",
    " (must be formatted as a valid ",
    "be a single int value",
    "be a single float value",
    "be true or false",
    "be null or ",
    "exactly match (no extra characters) one of: ",
    "adhere to the JSON schema: ",
    "Use the tools to collect what you need to produce ",
    " At each step give your next thought, the next tool and its arguments as a JSON object; what the tool returns is added to ",
    "\n        The tools are:\n",
    "Call this when ",
    " can be produced.",
    '{"thought": "',
    '", "tool": "',
    '", "args": ',
    ', "observation": "',
    "\n        ",
]
PATTERNS = [
    r'"type": "(?:string|integer|number|boolean|array|object)"',
    r'"(?:properties|required|items|anyOf|additionalProperties|description)": ',
    r"\]*\)?, then `\[\[ ## ",
    r"\]*\)?, and then ending with the marker for `\[\[ ## completed ## \]\]`\.",
    r"\[\[ ## ",
    r" ## \]\](?:\n|`)?",
    r"[1-9]\. `",
    r"` \(",
    r"\]*\): ",
    r"(?:system|user|assistant)\n",
]
FUNCTION_WORDS = """a an the of to in on at is was are were be been has have had does do did and or for from with by as that this it its he
she they his her their what who which where when how many much my you your we our will can would could please if then there
here me us them than more about into but so"""


def split_pattern() -> str:
    """The regular expression whose matches are the units within which BPE may merge."""
    words = "|".join(sorted(FUNCTION_WORDS.split(), key=len, reverse=True))
    parts = [
        *(re.escape(p).replace("\\\n", "\\n").replace("\\ ", " ").replace("\\#", "#") for p in sorted(PHRASES, key=len, reverse=True)),
        *PATTERNS,
        rf" (?:{words})(?![\p{{L}}\p{{M}}\p{{N}}_])",
        r'", "|": "|": ',
        r"[\p{L}\p{M}]+",
        r"\p{N}",
        r"[^\s\p{L}\p{M}\p{N}]+",
        r"[\r\n]+",
        r" +",
        r"\s",
    ]
    return "|".join(parts)


def train(texts: Iterable[str], size: int) -> Tokenizer:
    """A tokenizer of `size` entries, control tokens last as in Qwen's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split_pattern()), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(SPECIALS), initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIALS])
    return tokenizer


def save(tokenizer: Tokenizer, path: Path) -> None:
    """Writes `tokenizer.json`, without line breaks."""
    path.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False))


class Encoder:
    """Encodes chats with a memory of the units and lines seen so far: equal to the tokenizer, several times faster."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.start, self.end = (tokenizer.token_to_id(t) for t in SPECIALS[1:])
        # The same split in the syntax of `re`, which knows no \p{L}; no unit spans a line's start, so lines can be cut first.
        pattern = split_pattern().replace(r"(?![\p{L}\p{M}\p{N}_])", r"(?!\w)").replace(r"[^\s\p{L}\p{M}\p{N}]+", r"(?:[^\s\w]|_)+")
        self.split = re.compile(pattern.replace(r"[\p{L}\p{M}]+", r"[^\W\d_]+").replace(r"\p{N}", r"\d"))
        self.lines = re.compile(r"(?<=\n)(?=\S)")
        self.unit = lru_cache(maxsize=300_000)(lambda text: tokenizer.encode(text, add_special_tokens=False).ids)
        self.line = lru_cache(maxsize=100_000)(self._line)
        self.pieces = {t: i for t, i in tokenizer.get_vocab().items() if t.isascii() and t.isalpha()}

    def _line(self, text: str) -> list[int]:
        unit, ids = self.unit, []
        for part in self.split.findall(text):
            ids += unit(part)
        return ids

    def text(self, text: str, spelled: "Spelled | None" = None) -> list[int]:
        """Ids of plain text."""
        ids: list[int] = []
        if spelled is not None:
            for part in self.split.findall(text):
                ids += spelled[part] if part in spelled else self.unit(part)
            return ids
        for line in self.lines.split(text):
            ids += self.line(line) if len(line) < 90 else self._line(line)
        return ids

    def respell(self, texts: list[str], rng: random.Random) -> "Spelled":
        """Other tokens for some of the words of a document, the same at each of their places.

        The BPE gives a word that it knows as one token, and so hardly ever the pieces that an unknown word falls into: here
        all of them learn to be copied (after BPE dropout, Provilkov et al. 2020, https://arxiv.org/abs/1910.13267).
        """
        found = dict.fromkeys(part for text in texts for part in self.split.findall(text) if len(part) > 2)
        made: Spelled = {}
        for word in found:
            if word.isascii() and word.isalpha() and word not in FIXED and rng.random() < RESPELLED_WORDS:
                ids, at = [], 0
                while at < len(word):
                    ends = [e for e in range(at + 1, min(at + 6, len(word)) + 1) if (at or e < len(word)) and word[at:e] in self.pieces]
                    end = ends[int(rng.random() * len(ends))]
                    ids.append(self.pieces[word[at:end]])
                    at = end
                made[word] = ids
        return made

    def prompt(self, messages: list[tuple[str, str]]) -> list[int]:
        """Ids of a chat up to and with the opening of the reply."""
        ids: list[int] = []
        for role, content in messages:
            ids += [self.start, *self.text(f"{role}\n{content}"), self.end, *self.text("\n")]
        return [*ids, self.start, *self.text("assistant\n")]

    def record(self, record: Record, rng: random.Random | None = None) -> tuple[array, bytearray]:
        """Ids of a whole example, and for each id whether it is prompt, a demo's reply or the reply; with `rng` some words are respelled."""
        messages, answer = chat(record)
        spelled = self.respell([*(c for _, c in messages), answer], rng) if rng else None
        ids, kinds = array("H"), bytearray()
        newline = self.text("\n")
        for role, content in messages:
            head, body = [self.start, *self.text(f"{role}\n")], [*self.text(content, spelled), self.end]
            ids.extend(head + body + newline)
            mark = DEMO if role == "assistant" else PROMPT
            kinds += bytes([PROMPT]) * len(head) + bytes([mark]) * len(body) + bytes([PROMPT]) * len(newline)
        head, body = [self.start, *self.text("assistant\n")], [*self.text(answer, spelled), self.end]
        ids.extend(head + body)
        kinds += bytes([PROMPT]) * len(head) + bytes([REPLY]) * len(body)
        return ids, kinds
