"""The kinds of tokenizers of the paper's models, as changes to three small ones (make_tokenizer_kinds.py trains those)."""

from text_variants import O200K, split

MARK = "▁"
SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN = CL100K.replace(r"\p{N}{1,3}", r"\p{N}")
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
KIMI = "|".join([
    r"[\p{Han}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+" + SUFFIX,
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*" + SUFFIX,
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
DEEPSEEK_V3_WORDS = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
                     r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TIKTOKEN_PATTERNS = {"gpt2": GPT2, "cl100k": CL100K, "o200k": O200K, "qwen": QWEN, "kimi": KIMI}


def byte_level(prefix=False, regex=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def steps(*parts):
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(parts)}}


def digits(single):
    return {"type": "Digits", "individual_digits": single}


def normal(*parts):
    parts = [{"type": p} if isinstance(p, str) else p for p in parts]
    return {"normalizer": parts[0] if len(parts) == 1 else {"type": "Sequence", "normalizers": parts}}


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def strip(left, right):
    return {"type": "Strip", "strip_left": left, "strip_right": right}


def metaspace(scheme, cut=True):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": cut}


def decoder(*parts):
    parts = [{"type": p} if isinstance(p, str) else p for p in parts]
    return {"decoder": {"type": "Sequence", "decoders": parts}}


def frame(*names_and_ids):
    """A template that puts the given tokens before the text."""
    return {"post_processor": {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": n, "type_id": 0}} for n, _ in names_and_ids] + [{"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {n: {"id": n, "ids": [i], "tokens": [n]} for n, i in names_and_ids}}}


def cut_strip(start, stop):
    return {"type": "Strip", "content": " ", "start": start, "stop": stop}


LLAMA_NORMAL = normal({"type": "Prepend", "prepend": MARK}, replace(" ", MARK))
LLAMA_DECODER = decoder(replace(MARK, " "), "ByteFallback", "Fuse", cut_strip(1, 0))
NONE = {"normalizer": None, "pre_tokenizer": None}

# name, base, changed fields (those of the model one by one)
KINDS = [
    ("gpt2", "bytes", {"pre_tokenizer": byte_level(False, True)}),
    ("cl100k, Llama 3 and GLM", "bytes", steps(split(CL100K), byte_level()) | {"model": {"ignore_merges": True}}),
    ("o200k, gpt-oss", "bytes", steps(split(O200K), byte_level()) | {"model": {"ignore_merges": True}}),
    ("qwen", "bytes", steps(split(QWEN), byte_level()) | normal("NFC")),
    ("deepseek v2", "bytes", steps(split(r"[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"), digits(True), byte_level())),
    ("deepseek v3", "bytes", steps(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK_V3_WORDS), byte_level())),
    ("digits, Granite", "bytes", steps(digits(True), byte_level(False, True))),
    ("runs of digits, prefix space", "bytes", steps(digits(False), byte_level(True, True))),
    ("neox, OLMoE", "bytes", {"pre_tokenizer": byte_level(False, True)} | normal("NFC")),
    ("kimi's intersections", "bytes", steps(split(KIMI), byte_level())),
    ("removed white space", "bytes", steps(split(r"\s+", "Removed"), split("e", "MergedWithPrevious", kind="String"), byte_level(True))),
    ("NFD without accents", "bytes", {"pre_tokenizer": byte_level(False, True)} | normal("NFD", "StripAccents")),
    ("NFKC in lower case", "bytes", {"pre_tokenizer": byte_level(False, True)} | normal("NFKC", "Lowercase")),
    ("NFKD stripped", "bytes", {"pre_tokenizer": byte_level(False, True)} | normal("NFKD", strip(True, True))),
    ("stripped at the right, replaced", "bytes", {"pre_tokenizer": byte_level(False, True)} | normal(
        strip(False, True), replace(r"\s{2,}|e", "_é", "Regex"), replace("-", ""), {"type": "Prepend", "prepend": "> "})),
    ("bytes decoded, then replaced", "bytes", {"pre_tokenizer": byte_level(False, True)} | decoder(byte_level(), replace("e", "<>"), cut_strip(2, 0))),
    ("replaced, then bytes decoded", "bytes", {"pre_tokenizer": byte_level(False, True)} | decoder(replace("Ġ", "_"), byte_level())),
    ("regex replaced after fusing", "bytes", {"pre_tokenizer": byte_level(False, True)} | decoder(byte_level(), replace(r"\s+", " ", "Regex"))),
    ("llama, Mixtral and Phi", "marks", LLAMA_NORMAL | LLAMA_DECODER | {"pre_tokenizer": None}),
    ("llama with Metaspace first", "marks", NONE | {"pre_tokenizer": metaspace("first")} | LLAMA_DECODER),
    ("Metaspace always, not cut", "marks", NONE | {"pre_tokenizer": metaspace("always", False)} | decoder("ByteFallback", metaspace("always"))),
    ("Metaspace never", "marks", NONE | {"pre_tokenizer": metaspace("never")} | decoder(metaspace("never"), "Fuse")),
    ("Metaspace first after Strip", "marks", normal(strip(True, False), replace("a", "")) | {"pre_tokenizer": metaspace("first")} | decoder(
        metaspace("first"), cut_strip(2, 0), "ByteFallback")),
    ("Metaspace after digits", "marks", NONE | steps(digits(True), metaspace("always")) | LLAMA_DECODER),
    ("unknown tokens fused", "marks", LLAMA_NORMAL | LLAMA_DECODER | {"pre_tokenizer": None, "model": {"byte_fallback": False, "fuse_unk": True}}),
    ("unknown tokens one by one", "marks", LLAMA_NORMAL | LLAMA_DECODER | {
        "pre_tokenizer": None, "model": {"byte_fallback": False, "fuse_unk": False, "ignore_merges": True}}),
    ("merges across words, few byte tokens", "crossing", LLAMA_NORMAL | LLAMA_DECODER | {"pre_tokenizer": None}),
    ("few byte tokens, unknown one by one", "crossing", normal(replace(" ", MARK)) | LLAMA_DECODER | {
        "pre_tokenizer": None, "model": {"fuse_unk": False}}),
]
