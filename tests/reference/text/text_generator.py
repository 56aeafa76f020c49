"""Seeded texts that the C++ tests build again from the same lists (tests/text/text_generator.h), so that only digests of what is expected need to be stored.

`lists()` makes the lists, which are stored as tests/data/text/generator.json; `Generator` draws from them.
"""

import unicodedata

from tokenizers import normalizers

from text_samples import CORPUS

MASK = 2 ** 64 - 1
ADDED = ["<|endoftext|>", "<think>", "</think>", "<left>", "<right>", "<both>", "<word>", "<norm>", "<|end|>", "<s>", "</s>", "<unk>",
         "<0x41>", "<0xE6>", "▁", "▁▁", "Ġ"]
SPACES = [" ", " ", " ", "  ", "    ", "\n", "\n\n", "\t", "\t\t", "\r\n", "\r", " \n", "\n  ", "\u00a0", "\u3000", "\u180e", "\u2009", "\u2028",
          "\x85", "\u200b", "\u205f"]
NUMBERS = list("0123456789") + ["2024", "1000000", "3.14", "12,345", "1e-5", "0x1F", "½", "²", "³", "①", "Ⅳ", "٣٤", "४", "１２", "%", "+", "-", "=", ".",
                                "/", "√"]
CODE = ["def ", "return ", "for (int i = 0; i < n; ++i)", " {\n", "}\n", "\n    ", "\n\t\t", "self.", "->", "::", "!=", "==", "+=", "&&", "||", "//", "/*",
        "*/", "#include <", "http://", "https://example.org/?q=1&r=%20", "snake_case", "camelCase", "XMLHttpRequest", "__init__", "\\n", "\\", "\"", "'",
        "`", "<|", "|>", "</", "<", ">", "()", "[0]", "{}", ";", "$", "@", "~", "^", "...", "---", "!!!", "???"]
EMOJI = ["👍", "👩", "\u200d", "💻", "🏽", "\ufe0f", "🇩", "🇪", "❤", "😀", "🏳", "🌈", "#\ufe0f\u20e3", "☃", "→", "∑", "𝒳"]
MARKS = list("aouAE") + ["é", "e\u0301", "\u0300", "\u0301", "\u0308", "\u0323", "\u0327", "\u0338", "\u093c", "\u3099", "か", "は", "\u1100", "\u1161", "\u11a8",
                         "각", "한", "ﬁ", "ﷺ", "Å", "Å", "ǆ", "ẞ", "İ", "ı", "Σ", "ς", "ſ", "ᾈ", "ŉ"]
ENDINGS = ["'s", "'S", "'re", "'LL", "'d", "'T", "'ſ", "’s", "'", "n't", ",", ".", "!", "?", ":", ";", "...", ")", "\""]

# Which lists a kind of text draws from, what stands between the pieces, how many pieces there are at most.
KINDS = [
    {"lists": ["point"], "joins": [""], "most": 14}, {"lists": ["run"], "joins": ["", " "], "most": 5},
    {"lists": ["spaces", "spaces", "words"], "joins": [""], "most": 14}, {"lists": ["words"], "joins": [" "], "most": 16},
    {"lists": ["words", "words", "endings"], "joins": ["", " "], "most": 14},
    {"lists": ["words", "added", "spaces"], "joins": ["", " "], "most": 10},
    {"lists": ["code", "code", "words", "numbers"], "joins": ["", "", " "], "most": 16},
    {"lists": ["numbers"], "joins": ["", "", "", " "], "most": 14}, {"lists": ["emoji", "emoji", "words"], "joins": [""], "most": 12},
    {"lists": ["marks"], "joins": ["", "", "", " "], "most": 14},
    {"lists": ["words", "code", "numbers", "emoji", "marks", "spaces", "endings", "point", "run", "added"], "joins": ["", " "], "most": 14},
]


def has_common_properties(character):
    """Whether `tokenizers`, whose normalisation tables are older than Unicode 10, treats the character as Unicode 14 does."""
    category = unicodedata.category(character)
    if category in ("Cn", "Cs", "Co"):
        return False
    if normalizers.StripAccents().normalize_str(character) != ("" if category.startswith("M") else character):
        return False
    return all(getattr(normalizers, form)().normalize_str(text) == unicodedata.normalize(form, text)
               for form in ("NFC", "NFD", "NFKC", "NFKD") for text in (character, "a" + character + "\u0323"))


def ranges():
    """Runs of code points with properties that all sides agree on."""
    runs = []
    for point in range(0x20, 0xF0000):
        if 0xD800 <= point < 0xE000 or not has_common_properties(chr(point)):
            continue
        if runs and runs[-1][1] == point - 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return runs


def lists():
    words = sorted(set(CORPUS.split()))
    words += [unicodedata.normalize("NFD", w) for w in words if unicodedata.normalize("NFD", w) != w]
    return {"words": words, "spaces": SPACES, "numbers": NUMBERS, "code": CODE, "emoji": EMOJI, "marks": MARKS, "endings": ENDINGS, "added": ADDED,
            "ranges": ranges(), "kinds": KINDS}


class Random:
    """SplitMix64."""

    def __init__(self, seed):
        self.state = seed & MASK

    def below(self, limit):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        value = self.state
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
        return (value ^ (value >> 31)) % limit

    def pick(self, items):
        return items[self.below(len(items))]


class Generator:
    def __init__(self, source):
        self.source = source

    def piece(self, rng, name):
        if name == "point":
            first, last = rng.pick(self.source["ranges"])
            return chr(first + rng.below(last - first + 1))
        if name == "run":
            first, last = rng.pick(self.source["ranges"])
            return "".join(chr(first + rng.below(last - first + 1)) for _ in range(1 + rng.below(8)))
        return rng.pick(self.source[name])

    def text(self, seed, index):
        """The text and the random stream behind it, from which random ids are drawn."""
        rng = Random(seed * 1_000_003 + index)
        kind = rng.pick(self.source["kinds"])
        text = ""
        for _ in range(1 + rng.below(kind["most"])):
            text += self.piece(rng, rng.pick(kind["lists"]))
            text += rng.pick(kind["joins"])
        return text, rng

    def ids(self, rng, limit):
        return [rng.below(limit) for _ in range(1 + rng.below(12))]
