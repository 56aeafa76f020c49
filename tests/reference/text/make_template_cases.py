"""Writes tests/data/text/template_cases.json: what Python's jinja2, set up by transformers, makes of chat templates.

Usage: make_template_cases.py OUTPUT.json [ASSETS_DIR]
ASSETS_DIR holds chat_templates/*.jinja and tokenizers/*/tokenizer_config.json.xz, which are not part of the repository:
for those only the sha256 of the template and of each rendered text (or the class of the error) is written.

"language": small templates, each with "o" the text or "e" the class of the exception; "unsupported": templates that
jinja2 renders and moelab must refuse; "own": our own chat templates with the full text for every conversation;
"assets": for each template a list of results in the order of "requests", a digest of 16 digits or "!Class".
"""

import datetime
import hashlib
import json
import lzma
import pathlib
import sys

import jinja2
import transformers
from transformers.utils import chat_template_utils

import template_conversations
import template_language

PINNED = {"jinja2": "3.1.6", "transformers": "5.23.0"}
DATE = datetime.datetime(2024, 7, 6, 9, 5, 3)
OWN = pathlib.Path(__file__).resolve().parent.parent.parent / "data" / "text" / "templates"


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return DATE


def error_class(problem):
    """The name of the exception's class; a text of lone surrogates or an endless recursion never gets that far."""
    return type(problem).__name__


def render_source(source, variables):
    try:
        return chat_template_utils._compile_jinja_template(source).render(**variables), None
    except Exception as problem:  # every class is of interest
        return None, error_class(problem)


def render_chat(source, messages, variables):
    """As a tokenizer's apply_chat_template does it."""
    variables = dict(variables)
    options = {key: variables.pop(key, None) for key in ("tools", "documents")}
    flag = variables.pop("add_generation_prompt")
    try:
        texts, _ = chat_template_utils.render_jinja_template(
            [messages], chat_template=source, add_generation_prompt=flag, **options, **variables)
        return texts[0], None
    except Exception as problem:
        return None, error_class(problem)


def language_cases():
    for source in template_language.sources():
        text, error = render_source(source, template_language.VARIABLES)
        if text is not None and " at 0x" in text:
            continue  # an address in memory
        yield {"t": source, "o": text} if error is None else {"t": source, "e": error}


def own_cases():
    for path in sorted(OWN.glob("*.jinja")):
        source = path.read_text(encoding="utf-8")
        results = []
        for _, messages, variables in template_conversations.requests():
            text, error = render_chat(source, messages, variables)
            results.append(text if error is None else {"e": error})
        yield {"name": path.name, "results": results}


def asset_sources(assets):
    for path in sorted((assets / "chat_templates").glob("*.jinja")):
        yield f"chat_templates/{path.name}", path.read_bytes().decode("utf-8")
    for path in sorted((assets / "tokenizers").glob("*/tokenizer_config.json.xz")):
        template = json.loads(lzma.decompress(path.read_bytes())).get("chat_template")
        if template is not None:
            yield f"tokenizers/{path.parent.name}", template


def digest(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def asset_cases(assets):
    for name, source in asset_sources(assets):
        results = []
        for _, messages, variables in template_conversations.requests():
            text, error = render_chat(source, messages, variables)
            results.append(digest(text)[:16] if error is None else f"!{error}")
        yield {"name": name, "sha256": digest(source), "results": results}


def main():
    versions = {"jinja2": jinja2.__version__, "transformers": transformers.__version__}
    if versions != PINNED:
        sys.exit(f"needs {PINNED}, found {versions}")
    chat_template_utils.datetime = FixedDate
    requests = [{"name": name, "messages": messages, "variables": variables}
                for name, messages, variables in template_conversations.requests()]
    cases = {"versions": versions, "date": DATE.strftime("%Y-%m-%dT%H:%M:%S"), "variables": template_language.VARIABLES,
             "language": list(language_cases()), "unsupported": template_language.UNSUPPORTED, "requests": requests,
             "own": list(own_cases()), "assets": list(asset_cases(pathlib.Path(sys.argv[2]))) if len(sys.argv) > 2 else []}
    lines = ",\n".join(f"{json.dumps(key)}: " + compact(value) for key, value in cases.items())
    pathlib.Path(sys.argv[1]).write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print(len(cases["language"]), "language cases,", len(cases["assets"]), "asset templates,", len(requests), "requests")


def compact(value):
    """One element of a list a line."""
    if isinstance(value, list):
        return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
