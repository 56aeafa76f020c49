"""Random override texts and trees from a seed: they find what nobody thought of writing down."""
import random

ATOMS = ["1", "-2", "0.5", "1e3", "true", "null", "a", "b-c", "x_1", "'q r'", '"d"', "a\\,b", "/p.q", "${k}", "", " ", "é", "1_0", "inf", "a:b", "~", "[", "}", "(", "a=b"]
FUNCTIONS = ["choice", "range", "sort", "int", "float", "str", "bool", "tag", "interval", "glob"]
KEYS = ["a", "a.b", "g/h", "g@p", "a.0", "$a", "a-b", "a.b@c", "", "1"]


def element(rng, depth=0):
    kind = rng.random()
    if depth > 2 or kind < 0.6:
        return rng.choice(ATOMS)
    items = [element(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    if kind < 0.75:
        return "[" + rng.choice([",", ", ", " ,"]).join(items) + "]"
    if kind < 0.85:
        return "{" + ",".join(f"{rng.choice('abc')}{rng.choice([':', ': '])}{item}" for item in items) + "}"
    return rng.choice(FUNCTIONS) + "(" + ",".join(items) + ")"


def override_texts(seed, count):
    rng = random.Random(seed)
    texts = []
    for _ in range(count):
        value = ",".join(element(rng) for _ in range(rng.choice([1, 1, 1, 2, 3])))
        prefix = rng.choice(["", "", "", "+", "++", "~"])
        texts.append(f"{prefix}{rng.choice(KEYS)}{rng.choice(['=', '=', '=', ' =', ''])}{value}")
    return texts


def defaults_item(rng):
    group = rng.choice(["g", "h", "g/i", "/h"])
    option = rng.choice(["one", "two", "null", "[one, two]", "three", "${h}"])
    package = rng.choice(["", "", "", "@p", "@_global_", "@_here_", "@p.q"])
    keyword = rng.choice(["", "", "", "", "optional ", "override "])
    if rng.random() < 0.15:
        return rng.choice(["h/one", "other", "_self_", "h/two@p"])
    return f"{keyword}{group}{package}: {option}"


def config(rng, name, items):
    lines = [f"# @package {rng.choice(['_global_', 'pkg', 'p.q'])}\n"] if rng.random() < 0.15 else []
    if items:
        lines.append("defaults:\n" + "".join(f"  - {item}\n" for item in items))
    lines.append(f"from_{name}: {rng.randint(0, 9)}\nlast: {name}\n")
    if rng.random() < 0.4:
        lines.append(rng.choice(["m: {x: 1}\n", "m: {y: ${last}}\n", "m: ${l}\n", "l: [1, 2]\n", "m: null\n"]))
    return "".join(lines)


def tree(rng):
    files = {f"{group}/{option}.yaml": config(rng, f"{group}_{option}".replace("/", "_"), [])
             for group in ("g", "h", "g/i") for option in ("one", "two")}
    files["g/two.yaml"] = config(rng, "g_two", [rng.choice(["i: one", "/h@k: two", "i@_global_: two", "one", "i: two"])])
    files["other.yaml"] = config(rng, "other", [])
    items = [defaults_item(rng) for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.6 and "_self_" not in items:
        items.insert(rng.choice([0, len(items)]), "_self_")
    files["config.yaml"] = config(rng, "config", sorted(items, key=lambda item: item.startswith("override")))
    return [files]


def trees_and_cases(seed, count):
    """{name: directories}, [(name, "config", override lines)]"""
    rng = random.Random(seed)
    trees, cases = {}, []
    changes = ["g=two", "h=two", "h=one", "+h=one", "~g", "~h", "g=[one,two]", "+h@z=two", "g/i=two", "last=x", "+new.key=1", "m.x=5", "h@p=two", "g@p=two", "++m.x=2"]
    for number in range(count):
        trees[f"random{number}"] = tree(rng)
        lines = [""] + ["|".join(rng.sample(changes, rng.randint(1, 2))) for _ in range(2)]
        cases.append((f"random{number}", "config", lines))
    return trees, cases
