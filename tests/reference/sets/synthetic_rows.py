"""Made-up rows with the columns of the published question sets; no row of a published set is in here.

Texts hold what trips prompt makers up: braces, dollar signs, quotes, line breaks, doubled and outer spaces, other
scripts, options that are "N/A", and the markers that the makers' scripts replace.
"""
import random

CATEGORIES = ["biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history",
              "law", "math", "other", "philosophy", "physics", "psychology"]
WORDS = ("lattice ferment tariff orbit $x^2$ {set} naïve Größe 量子 river\u00a0bank \\frac{1}{2} \"quoted\" it's a,b "
         "{$} {0} 50% vote enzyme ledger prism clause motif heap axiom").split(" ")
LETTERS = "ABCDEFGHIJ"


def sentence(rng, low=4, high=12):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high)))


def question(rng):
    text = sentence(rng).capitalize() + "?"
    kind = rng.randrange(6)
    if kind == 0:
        return text + "\nStatement 1 | " + sentence(rng)
    if kind == 1:
        return "  " + text + " "
    if kind == 2:
        return text.replace(" ", "  ", 2) + " [title] " + sentence(rng, 2, 4)
    return text


def options(rng, count):
    texts = []
    while len(texts) < count:
        text = sentence(rng, 1, 4) + rng.choice(["", "", "\n", " ", " [title]"])
        if text.strip() not in [each.strip() for each in texts]:
            texts.append(text)
    return texts


def mmlu_pro_row(rng, number, category, with_solution):
    texts = options(rng, rng.choice([3, 4, 9, 10]))
    index = rng.randrange(len(texts))
    if len(texts) >= 9:
        spare = rng.choice([i for i in range(len(texts)) if i != index])
        texts[spare] = "N/A"
    letter = LETTERS[index]
    solution = f"A: Let's think step by step. {sentence(rng)}. The answer is ({letter})." if with_solution else ""
    return {"question_id": number, "question": question(rng), "options": texts, "answer": letter, "answer_index": index,
            "cot_content": solution, "category": category, "src": f"made_up-{category}"}


def mmlu_pro(split):
    rng = random.Random(f"mmlu_pro/{split}")
    each, first = (5, 0) if split == "validation" else (2, 70)
    return [mmlu_pro_row(rng, first + each * c + i, category, split == "validation")
            for c, category in enumerate(CATEGORIES) for i in range(each)]


def gpqa():
    rng = random.Random("gpqa")
    rows = []
    for number in range(14):
        texts = options(rng, 4)
        domain, subdomain = rng.choice([("Physics", "Quantum Mechanics"), ("Chemistry", "Organic Chemistry"),
                                        ("Biology", "Genetics"), ("Physics", "Optics and Acoustics")])
        rows.append({"Pre-Revision Question": sentence(rng), "Pre-Revision Correct Answer": sentence(rng, 1, 3),
                     "Question": question(rng), "Correct Answer": texts[0], "Incorrect Answer 1": texts[1],
                     "Incorrect Answer 2": texts[2], "Incorrect Answer 3": texts[3],
                     "Explanation": sentence(rng) + "\n\n" + sentence(rng), "Subdomain": subdomain,
                     "Writer's Difficulty Estimate": "Hard undergraduate level", "High-level domain": domain,
                     "Question Writer": "made up", "Record ID": f"rec{number:04d}", "Canary String": ""})
    return rows


def aime(name, columns):
    """`columns`: the set's names of id, problem, answer and solution (None where it has none)."""
    rng = random.Random("aime/" + name)
    rows = []
    for number in range(6):
        values = {"id": columns["id_of"](number), "problem": question(rng).strip(), "answer": columns["answer_of"](number, rng),
                  "solution": sentence(rng)}
        row = {columns[key]: values[key] for key in ("id", "problem", "answer", "solution") if columns[key]}
        rows.append(row | columns.get("more", {}))
    return rows


def three_digits(number, rng):
    return f"{rng.randrange(1000):03d}"


def maxwell_jia():
    return aime("maxwell_jia", {"id": "ID", "problem": "Problem", "solution": "Solution", "answer": "Answer",
                 "id_of": lambda n: f"2024-I-{n + 1}", "answer_of": lambda n, rng: rng.randrange(1000)})


def hugging_face_h4(year):
    return aime(f"hugging_face_h4/{year}", {"id": "id", "problem": "problem", "solution": "solution", "answer": "answer", "id_of": lambda n: 60 + n,
                 "answer_of": three_digits, "more": {"url": "https://example.org/problem", "year": year}})


def math_ai():
    return aime("math_ai", {"id": "id", "problem": "problem", "solution": None, "answer": "answer", "id_of": str,
                 "answer_of": three_digits})


def opencompass():
    rows = aime("opencompass", {"id": None, "problem": "question", "solution": None, "answer": "answer", "id_of": str,
                 "answer_of": three_digits})
    rows[-1]["answer"] = "336^\\circ"
    return rows


def gsm8k():
    rng = random.Random("gsm8k")
    answers = ["18", "5,600", "-3", "70000", "2.5"]
    return [{"question": question(rng).strip(), "answer": f"{sentence(rng)} <<9+9=18>>\n#### {answer}"}
            for answer in answers]


def gsm8k_train():
    """So many that eight draws of CPython's sample() take the way of large populations."""
    rng = random.Random("gsm8k_train")
    return [{"question": question(rng).strip(), "answer": f"{sentence(rng, 2, 6)}\n#### {number}"} for number in range(90)]


def mmlu():
    rng = random.Random("mmlu")
    return [{"question": question(rng), "subject": subject, "choices": options(rng, 4), "answer": rng.randrange(4)}
            for subject in ("abstract_algebra", "world_religions") for _ in range(3)]
