"""Conversations for the reference cases of chat templates: what prompts of a study can look like."""

TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "  The weather in a town.\n", "strict": True,
        "parameters": {"type": "object", "required": ["town"], "properties": {
            "town": {"type": "string", "description": "Name of the town, e.g. Zürich"},
            "unit": {"type": "string", "enum": ["celsius", "kelvin"], "default": "celsius", "description": "Unit"},
            "days": {"type": "array", "items": {"type": "number"}, "nullable": True, "description": "Days \"ahead\""},
            "options": {"type": "object", "x-note $1": {"a": [1, 2.5, None]}, "minimum": 0.5}}}}},
    {"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {
        "type": "object", "properties": {}}}},
]


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **fields):
    return {"role": "assistant", "content": text, **fields}


def system(text):
    return {"role": "system", "content": text}


def call(name, arguments, identity="call_1"):
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


HARD = "  Größe & <b>\"東京\"</b> 'x' {{ 7 }} {% if %} 👩‍💻\n\n\tend \\n  "
QUESTION = "Which one? (A) 1\n(B) 2\nAnswer with the letter."
THOUGHT = "<think>\nFirst 1, then 2.\n</think>\n\nThe answer is (B)."

WEATHER = [user("Weather?"), assistant("", tool_calls=[call("get_weather", {"town": "Zürich", "unit": "celsius"})]),
           {"role": "tool", "content": "{\"degrees\": 21.5}", "tool_call_id": "call_1", "name": "get_weather"}]
MANY_CALLS = [
    system("Be brief."), user("Weather and time?"),
    assistant("Looking.", tool_calls=[call("get_weather", {"town": "Bern", "days": [1, 2]}), call("now", {}, "call_2")]),
    {"role": "tool", "content": "cold", "tool_call_id": "call_1", "name": "get_weather"},
    {"role": "tool", "content": "12:00", "tool_call_id": "call_2", "name": "now"},
    assistant("Cold at noon."), user("Thanks")]

# name: (messages, variables); the flag add_generation_prompt is tried both ways for those in BOTH_WAYS.
CONVERSATIONS = {
    "user": ([user(QUESTION)], {}),
    "system_user": ([system("You are careful."), user(QUESTION)], {}),
    "hard": ([system(HARD), user(HARD)], {}),
    "turns": ([user("Hi"), assistant("Hello!"), user(QUESTION)], {}),
    "system_turns": ([system("You are careful."), user("Hi"), assistant(" Hello! "), user("1+1?"), assistant(THOUGHT),
                      user(QUESTION)], {}),
    "ends_assistant": ([user("Hi"), assistant(THOUGHT)], {}),
    "reasoning": ([user("Hi"), assistant("Hello.", reasoning_content="Greet back.\n"), user("More?"),
                   assistant("Sure.", reasoning_content="Say sure.")], {}),
    "thinking_on": ([user(QUESTION)], {"enable_thinking": True, "thinking": True}),
    "thinking_off": ([system("Short."), user(QUESTION)], {"enable_thinking": False, "thinking": False}),
    "effort_low": ([user(QUESTION)], {"reasoning_effort": "low"}),
    "effort_high": ([system("Short."), user("Hi"), assistant("Hello."), user(QUESTION)], {"reasoning_effort": "high"}),
    "tools": ([user("Weather?")], {"tools": TOOLS}),
    "tools_system": ([system("Be brief."), user("Weather?")], {"tools": TOOLS, "builtin_tools": ["browser", "python"]}),
    "tool_call": (WEATHER[:2], {"tools": TOOLS}),
    "tool_answer": (WEATHER, {"tools": TOOLS}),
    "many_calls": (MANY_CALLS, {"tools": TOOLS}),
    "text_arguments": ([user("Go"), assistant(None, tool_calls=[call("now", "{\"a\": 1}")]),
                        {"role": "tool", "content": "done", "tool_call_id": "call_1"}], {}),
    "parts": ([system("Read."), {"role": "user", "content": [{"type": "text", "text": "One "}, {"type": "text", "text": "two"}]}], {}),
    "image": ([{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}], {}),
    "documents": ([user("Cite.")], {"documents": [{"title": "A", "text": "First.", "doc_id": 1}, {"title": "B", "text": "Second.", "doc_id": 2}],
                                    "controls": ["citations"]}),
    "two_systems": ([system("One."), system("Two."), user("Hi")], {}),
    "empty_texts": ([system(""), user("")], {}),
    "no_messages": ([], {}),
    "unknown_role": ([{"role": "narrator", "content": "Once"}, user("Hi")], {}),
    "firefunction": ([system("S"), user("Hi")], {"functions": "[]", "datetime": "today", "guideline": "Be kind.",
                                                 "categories": {"S1": "One."}, "excluded_category_keys": ["S2"],
                                                 "add_vision_id": True, "custom_tools": TOOLS, "contexts": [" c "]}),
}

BOTH_WAYS = ("user", "turns", "ends_assistant", "reasoning", "tool_answer", "thinking_off", "effort_high")
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}


def requests():
    """All (name, messages, variables) with the flag and the special tokens among the variables."""
    for name, (messages, variables) in CONVERSATIONS.items():
        for flag in ((True, False) if name in BOTH_WAYS else (True,)):
            yield f"{name}{'' if flag else '/closed'}", messages, {**TOKENS, **variables, "add_generation_prompt": flag}
