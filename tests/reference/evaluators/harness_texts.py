"""Seeded answer texts for make_harness_verdicts.py: ordinary ones, and ones that pull the published rules apart."""

OPTION_LISTS = [
    ["Carbon", "Carbon dioxide", "\u039f\u0394\u039f\u03a3", "x - y"],
    ["a -", "B", "same", "Same!"],
    ["...", "one", "two", "\u0130stanbul"],
    ["alpha beta", "beta", "alpha", "gamma (ray)"],
    ["10 m/s", "10 m/s^2", "$20", "20 %"],
    ["red", "green", "blue", "cyan", "pink", "grey", "gold", "lime", "teal", "rust"],
]

SPACES = [" ", " ", " ", "  ", "\n", "\n\n", "\t", "\u00a0", "\u3000", "\x1c", "\r\n", "\u200b", "", "", ""]
MARKERS = [
    "answer is ", "The answer is ", "The answer is (", "the answer is", "Answer: ", "answer: ", "Answer:", "ANSWER: ",
    "ANSWER : ", "ANSWER:", "Answer (", "answer (", "Answer: (", "answer: (", "answer is (", "final answer is ",
    "Final answer is: ", "The final answer to your question is ", "final answer ", "final answer\u00a0is", "AN\u017fWER:",
    "An\u017fwer : $", "f\u0131nal answer \u0131s A is ", "F\u0130NAL ANSWER is", "Answer\t:\t$", "**Answer:** ", "**ANSWER: ",
    "answer", "The answer", "nswer:", ":", ": ", ",", "(", "\n", "\nANSWER: ", "\n**", "**", " **", "$", "$ ", " ", "is ",
    "is: ", "option ", "correct choice: ", "The correct answer is (", "answer is not ", "answer is **",
]
TAILS = [
    "", "", "", ")", ").", ".", ",", ":", " :", "**", "**.", "** ", "$", " $", "$.", "\n", ".\n", " \n", "_", "\u00e9", "\u0301",
    "\u00b2", " I hope it is correct.", ". I hope", ".\u00a0I hope", ".  I hope", "I hope", " because", "-1", ", B", ",", " and D",
    ",,", " ,", "\u0663", ";", "\n.", " \u00a0.", "\u0000", "?", ")\n", ") ", "), ", "\n\nDone", "\r\n", "arbon", "\ufe56",
]
WORDS = ["so ", "I think ", "A man ", "it is ", "because\n", "x" * 48 + " ", "z" * 97, "\u4e2d" * 49, "\U0001f600 ", "Question: ", "</think>"]
LETTERS = ["A", "B", "C", "D", "A", "B", "C", "D", "E", "J", "K", "Z", "a", "b", "d", "\u0131", "\u017f", "7", "\u0663", "(A)", "(B)",
           "(C)", "(D)", "(b)", "(E)", "A, B", "B,", ",C", "A B", "**C**", "$D$", "$ A $", "** B **", "(\u0131)", "((C))", "[D]", "\u039f"]


def option_piece(rng, options):
    text = rng.choice(options)
    return rng.choice([text, text.upper(), text.lower(), text + "!", "(" + text + ")", text.replace(" ", ", "),
                       text[:-1], text + text])


def answer_text(rng, options):
    """A few pieces of every kind."""
    parts = []
    for _ in range(rng.choice([1, 1, 2, 2, 3, 5, 8])):
        parts.append(rng.choice(["", "", rng.choice(WORDS), rng.choice(SPACES), rng.choice(TAILS)]))
        parts.append(rng.choice(MARKERS))
        parts.append(rng.choice(["", "", "", rng.choice(SPACES), rng.choice(SPACES) + rng.choice(SPACES), "**", "$", "("]))
        kind = rng.random()
        if kind < 0.7:
            parts.append(rng.choice(LETTERS[:12]) if rng.random() < 0.5 else rng.choice(LETTERS))
        elif kind < 0.85:
            parts.append(option_piece(rng, options))
        parts.append(rng.choice(TAILS))
    return "".join(parts)


def plain_text(rng, options):
    """What a model may well write."""
    letter = rng.choice("ABCD")
    text = rng.choice(["", "Let us see. ", "First (A) is out.\n", "Option B: no. ", "By symmetry, "])
    text += rng.choice(["The answer is ({})", "The answer is {}", "Answer: {}", "**Answer: {}**", "ANSWER: {}", "So {}",
                        "The correct answer is ({})", "Therefore, the final answer is: {}", "({})", "{}", "It must be {}",
                        "Answer: **{}**", "the answer is $\\boxed{{{}}}$", "I cannot answer that", "Answer: {}) "]).format(letter)
    return text + rng.choice(["", ".", ".\n", " because " + rng.choice(options) + " is right.", "\n\n", ". I hope it is correct"])


def fixed_texts():
    return [
        "", "A", "(A)", "Weighing it all, the answer is Hence unclear.", "Pick (D), since (A) conflicts with it.", "Answer : b",
        "ANSWER: D, as shown above.", "The answer is (A)", "The answer is A", "The answer is \nThe answer is B.", "ANSWER:  \n\nB",
        "ANSWER:  B_", "ANSWER: \n B_", "ANSWER:  ,_", "ANSWER: B \u00a0\n.", "ANSWER:   \n.", "ANSWER: B C_ D", "xANSWER: B",
        "ANSWER:\nANSWER: B", "ANSWER: A\nANSWER: B\nANSWER: ?", "answer: (A)\nanswer: (B) x", "(A), (B)\n", ":(C)", " (C)", "**A** **B**",
        "$A$B$", "$ A B $", "** A ,  **", "***C***", "answer " + "q" * 49 + " B", "answer " + "q" * 50 + " B", "answer " + "q" * 49 + " B so A", "answer " + "q" * 50 + " B so A", "answer: A B C D",
        "final answer" + "w" * 100 + " is A", "final answer" + "w" * 101 + " is A",
        "final answer" + "w" * 100 + " is A or B", "final answer" + "w" * 101 + " is A or B", "final answer " + "\u00a0" * 120 + "is:\n(B)",
        "final answer is:\n\nC. I hope it is correct", "Final answer is (D)I hope", "final answer is A is B is C", " A B C ", "A. B", "x\nB:\n:C",
        "**D**", "\n**D** :", " ** D", ": Z", "::  A", ":\u00a0B", "Carbon dioxide or carbon", "CARBON, DIOXIDE", "\u039f\u0394\u039f\u03a3.", "\u03bf\u03b4\u03bf\u03c2",
        "answer is (\n) (B)", "answer is (\U0001f600) Answer: (C)", "(x) (A)", "Answer: $B$", "answer:\t$$B", "Answer:\nB",
    ]


LONG = ["ponder the force, ", "y = 3; ", "\u4e2d", "so (A) is out. ", "x\n", "{"]
LETTER_ENDS = ["The answer is (B).", "\nANSWER: B", " final answer is: C. I hope", "**D**", "\n(A)", "Answer: $A$."]
NUMBER_ENDS = ["\\boxed{643}", "\\boxed{643}\n#### 643", "$\\boxed{42}$, or 43.", "\\boxed 643$ #### 1,024", "\\fbox{\\boxed{7}}", "\\boxed{1/2}"]


def long_texts(ends):
    """A line (or many) of 100,000 characters behind one answer and before another. The first is one that MMLU-Pro's script takes at once: `re`
    needs minutes for a line of this length on which its second expression does not match."""
    return ["The answer is (C).\n" + piece * (100_000 // len(piece)) + end for piece, end in zip(LONG, ends)]


def packed(text):
    """A long text as a list of [piece, times]."""
    if len(text) < 10_000:
        return text
    for piece in LONG:
        begin, times = text.find(piece * 10), len(text) // len(piece)
        while begin >= 0 and text[begin:begin + len(piece) * times] != piece * times:
            times -= 1
        if begin >= 0:
            return [[text[:begin], 1], [piece, times], [text[begin + len(piece) * times:], 1]]
    raise ValueError("a long text without a repeated piece")


NUMBERS = ["0", "7", "007", "42", "-3", "+5", "999", "1000", "1,024", "12.5", "3/4", "-0", "643", "113", "0113", ".5", "0.5", "5.", "5,",
           "$1,234.50", "1,2", "$$", "..", ",,", "-", "--5", "-$5", "\u0663/4", "1_0/2", "+1/2", "01/2", "1 /2", "x/2", "/", "1/2/3", "\u00a05/6",
           "\\frac12", "\\frac{1}{2}", "\\frac1{72}", "\\frac{1}2", "\\frac", "\\frac1", "\\tfrac34", "\\dfrac 3 4", "\\sqrt3", "\\sqrt{3}", "\\sqrt",
           "\\frac\u4e2d\u6587", "\\sqrt\u4e2d", "643^\\circ", "643^{\\circ}", "643\\%", "643\\$", "\\text{ cm}", "643\\text{ cm}", "\\text{643}", "\\left(643\\right)", "6\\!43",
           "x=643", "xy=643", "xyz=643", "\u4e2d\u6587=643", "a=b=643", "= 643", " .5", "{.5}", "\\\\frac12", "4e2d", "n = 643", "1" * 30]
FRAMES = ["{}", "{}", "\\boxed{{{}}}", "\\boxed{{{}}}", "\\boxed {} ", "\\boxed {}$", "\\fbox{{{}}}", "${}$", "$ {} $ and $x$", "#### {}", "#### {}\n", "\n#### {}.",
          "answer is {}", "Answer: {}", "= {}", "\\boxed{{{}", "\\boxed{{{{{}}}}}", "\\boxed{{\\boxed{{{}}}}}", "so {}.", "x{}", "({})", "-{}", " {} ", "\\boxed{}", "$\\boxed{{{}}}$", "\\boxed}}{}{{}}"]
NUMBER_WORDS = ["", "", " ", "\n", "we get ", "x", ".", ", ", "#### ", "$", "\\boxed", "\\boxed ", "y" * 210, "1/", "3-", "\u4e2d", "{", "}", "##", "- "]


def number_text(rng):
    parts = []
    for _ in range(rng.choice([1, 1, 1, 2, 3, 4])):
        parts += [rng.choice(NUMBER_WORDS), rng.choice(FRAMES).format(rng.choice(NUMBERS)), rng.choice(NUMBER_WORDS)]
    return "".join(parts)
