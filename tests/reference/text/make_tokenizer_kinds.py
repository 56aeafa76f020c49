"""Makes tests/data/text/kinds.*: what the packages `tokenizers` and `tiktoken` give for 2,000 seeded texts for each kind of tokenizer.

Usage: make_tokenizer_kinds.py OUTPUT_DIR [--qwen3 tokenizer.json.xz] [--gptoss tokenizer.json.xz]
Versions: requirements.txt. The two options add published tokenizers, which are not part of this repository.

Writes generator.json (the lists that texts are drawn from), kinds.{bytes,marks,crossing}.tokenizer.json and kinds.tiktoken (small tokenizers), and
kinds.jsonl, one kind a line:
  name; base with patch (changed fields), or tiktoken (a pattern's name), or published (a folder) with sha256 of its file
  seed, count: which texts; texts: SHA-256 of all of them, each followed by a zero byte; id_limit: below it random ids are drawn
  digests: 8 hexadecimal digits a text, the beginning of the SHA-256 of six lines: ids, ids with special tokens (both with commas), text decoded
  from the ids, the same without special tokens, text decoded from random ids, the same without special tokens
"""

import argparse
import base64
import hashlib
import json
import lzma
import pathlib

import tiktoken
import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from make_text_cases import added, compact, patched
from text_generator import Generator, lists
from tokenizer_kinds import KINDS, TIKTOKEN_PATTERNS, frame

COUNT = 2000
VERSIONS = {"tokenizers": "0.23.3", "tiktoken": "0.14.0"}
TIKTOKEN_SPECIAL = ["<|endoftext|>", "<think>", "</think>", "<|end|>", "<s>"]


def common_tokens():
    return [added("<|endoftext|>", special=True), added("<think>"), added("</think>"), added("<left>", lstrip=True), added("<right>", rstrip=True),
            added("<both>", lstrip=True, rstrip=True, special=True), added("<word>", single_word=True), added("<norm>", normalized=True, special=True),
            added("<|end|>", rstrip=True, special=True)]


def train(texts, pre_tokenizer, vocab_size, special, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizer
    byte_letters = sorted(pre_tokenizers.ByteLevel.alphabet()) if not special else []
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, initial_alphabet=byte_letters, special_tokens=special, limit_alphabet=300,
                                  max_token_length=12)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def bytes_base(texts):
    """Trained without any split, so that its merges reach over words, digits and white space and ids depend on every cut."""
    tokenizer = train(texts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), 2400, [])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens(common_tokens())
    value = json.loads(tokenizer.to_str())
    return value | frame(("<|endoftext|>", tokenizer.token_to_id("<|endoftext|>")))


def marks_base(texts, pre_tokenizer, vocab_size, n_bytes):
    """As SentencePiece writes them: special tokens, byte tokens, characters."""
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(n_bytes)]
    tokenizer = train([t.replace(" ", "▁") for t in texts], pre_tokenizer, vocab_size, special, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    value = json.loads(tokenizer.to_str())
    value["added_tokens"] = [t for t in value["added_tokens"] if t["content"] in ("<unk>", "<s>", "</s>")]
    tokenizer = Tokenizer.from_str(json.dumps(value))
    tokenizer.add_tokens(common_tokens())
    value = json.loads(tokenizer.to_str())
    value["model"]["merges"] = [" ".join(pair) for pair in value["model"]["merges"]]
    return value | frame(("<s>", 1))


def numbers(ids):
    return ",".join(map(str, ids))


def outcome(encode, decode, text, random_ids):
    """The six lines whose digest is stored."""
    ids, framed = encode(text)
    return "\n".join([numbers(ids), numbers(framed), decode(ids, False), decode(ids, True), decode(random_ids, False), decode(random_ids, True)])


def kind_line(header, seed, id_limit, encode, decode, generator):
    whole = hashlib.sha256()
    digests = ""
    for index in range(COUNT):
        text, rng = generator.text(seed, index)
        whole.update(text.encode() + b"\0")
        lines = outcome(encode, decode, text, generator.ids(rng, id_limit))
        digests += hashlib.sha256(lines.encode()).hexdigest()[:8]
    return header | {"seed": seed, "count": COUNT, "texts": whole.hexdigest(), "id_limit": id_limit, "digests": digests}


def tokenizers_line(header, seed, tokenizer, generator):
    def encode(text):
        return tokenizer.encode(text, add_special_tokens=False).ids, tokenizer.encode(text).ids

    def decode(ids, skip):
        return tokenizer.decode(ids, skip_special_tokens=skip)

    return kind_line(header, seed, tokenizer.get_vocab_size() + 20, encode, decode, generator)


def tiktoken_line(name, seed, ranks, generator):
    special = {token: len(ranks) + i for i, token in enumerate(TIKTOKEN_SPECIAL)}
    encoding = tiktoken.Encoding(name, pat_str=TIKTOKEN_PATTERNS[name], mergeable_ranks=ranks, special_tokens=special)

    def encode(text):
        ids = encoding.encode(text, allowed_special="all")
        return ids, ids

    def decode(ids, skip):
        return encoding.decode([i for i in ids if not skip or i < len(ranks)])

    header = {"name": f"tiktoken {name}", "tiktoken": name, "special": special}
    return kind_line(header, seed, encoding.n_vocab, encode, decode, generator)


def write_ranks(path, base):
    letters = {letter: byte for byte, letter in enumerate_letters()}
    by_id = sorted((i, bytes(letters[c] for c in entry)) for entry, i in base["model"]["vocab"].items())
    path.write_text("".join(f"{base64.b64encode(token).decode()} {i}\n" for i, token in by_id))
    return {token: i for i, token in by_id}


def enumerate_letters():
    """GPT-2's table of byte letters."""
    spare = 256
    for byte in range(256):
        printable = 0x21 <= byte <= 0x7E or (byte >= 0xA1 and byte != 0xAD)
        yield byte, chr(byte if printable else spare)
        spare += not printable


def make_bases(generator):
    texts = [generator.text(0, index)[0] for index in range(6000)]
    return {"bytes": bytes_base(texts),
            "marks": marks_base(texts, pre_tokenizers.Split("▁", "merged_with_next"), 1900, 256),
            "crossing": marks_base(texts, pre_tokenizers.Split("\n", "isolated"), 1100, 0xE0)}


def published_line(name, source, seed, generator):
    data = lzma.decompress(pathlib.Path(source).read_bytes())
    header = {"name": name, "published": name, "sha256": hashlib.sha256(data).hexdigest()}
    return tokenizers_line(header, seed, Tokenizer.from_str(data.decode()), generator)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--qwen3")
    parser.add_argument("--gptoss")
    arguments = parser.parse_args()
    found = {"tokenizers": tokenizers.__version__, "tiktoken": tiktoken.__version__}
    if found != VERSIONS:
        parser.error(f"{VERSIONS} are needed, these are {found}")
    source = lists()
    generator = Generator(source)
    (arguments.output / "generator.json").write_text(compact(source) + "\n", encoding="utf-8")
    bases = make_bases(generator)
    for name, value in bases.items():
        (arguments.output / f"kinds.{name}.tokenizer.json").write_text(compact(value) + "\n", encoding="utf-8")
    ranks = write_ranks(arguments.output / "kinds.tiktoken", bases["bytes"])
    lines = [found]
    for seed, (name, base, patch) in enumerate(KINDS, 1):
        tokenizer = Tokenizer.from_str(json.dumps(patched(bases[base], patch)))
        lines.append(tokenizers_line({"name": name, "base": base, "patch": patch}, seed, tokenizer, generator))
    lines += [tiktoken_line(name, 100 + i, ranks, generator) for i, name in enumerate(TIKTOKEN_PATTERNS)]
    lines += [published_line(name, path, 200 + i, generator)
              for i, (name, path) in enumerate((("qwen3", arguments.qwen3), ("gptoss", arguments.gptoss))) if path]
    (arguments.output / "kinds.jsonl").write_text("".join(compact(line) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
