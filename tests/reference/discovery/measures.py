"""Classes of tokens, expert scores and rankings, from their formulas."""
import fractions
import math
import pathlib
import re
import string
import unicodedata

import numpy
from scipy.stats import spearmanr

IMPORTANT, UNIMPORTANT, NO_CLASS = "i", "u", "-"
STOP_WORDS_FILE = "core/discovery/stop_words.inc"


def stop_words():
    path = pathlib.Path(__file__).resolve().parents[3] / STOP_WORDS_FILE
    return set(re.findall(r'^"(.*)",$', path.read_text(encoding="utf-8"), re.MULTILINE))


def is_punctuation(text, rule):
    """text: stripped. `unicode`: every character is punctuation or a symbol; `substring`: the released test."""
    if rule == "substring":
        return text in string.punctuation
    return all(unicodedata.category(character)[0] in "PS" for character in text)


def classes(texts, scores, percentile, punctuation):
    """One class a token, and the threshold: numpy's linear percentile over all the given tokens."""
    threshold, stops = float(numpy.percentile(scores, percentile)), stop_words()
    check_margin(scores, threshold)
    assert percentile == 50 or threshold not in scores, "the percentile's position is a whole number"
    found = []
    for text, score in zip((t.strip() for t in texts), scores):
        plain = score <= threshold or text.lower() in stops or is_punctuation(text, punctuation)
        found.append(UNIMPORTANT if plain else IMPORTANT)
    return found, threshold


def check_margin(scores, threshold):
    """No score so near the threshold that rounding could move it across; the median may be a score itself."""
    apart = [abs(score - threshold) for score in scores if score != threshold]
    assert min(apart) > 2e-4 * threshold, "a score sits near the threshold"


def aligned_classes(texts, scores, percentile, punctuation):
    """Every token keeps its own class; blank tokens count in the percentile and are unimportant."""
    return classes(texts, scores, percentile, punctuation)


def drifting_classes(texts, scores, percentile, punctuation):
    """The released code's: blank tokens are left out of the list of classes but not of the positions that look
    classes up, so after a blank token each token gets a later one's class and the last ones get none."""
    kept = [index for index, text in enumerate(texts) if text.strip()]
    found, threshold = classes([texts[i] for i in kept], [scores[i] for i in kept], percentile, punctuation)
    return found + [NO_CLASS] * (len(texts) - len(found)), threshold


def split_like(values, questions):
    """A domain's flat list cut into its questions."""
    parts, start = [], 0
    for question in questions:
        parts.append(values[start:start + len(question["tokens"])])
        start += len(question["tokens"])
    return parts


def ranking(scores):
    """Indices by falling score; ties by (layer, expert), which is the index order."""
    return sorted(range(len(scores)), key=lambda index: (-scores[index], index))


def scored(exact):
    """Exact fractions to doubles, ranked by the fractions; doubles must order them alike."""
    scores = [float(value) for value in exact]
    assert ranking(exact) == ranking(scores)
    apart = sorted(abs(a - b) for a, b in zip(sorted(exact), sorted(exact)[1:]) if a != b)
    assert not apart or apart[0] > 1e-9, "scores too close to rank in doubles"
    return {"score": scores, "ranking": ranking(exact)}


def usage_scores(selected, tokens):
    """`frequency`, `contrast` and `risk_difference` of every domain; selected: domain -> selections by expert,
    tokens: domain -> number of tokens."""
    share = {domain: [fractions.Fraction(int(n), int(sum(counts))) for n in counts]
             for domain, counts in selected.items()}
    result = {}
    for domain, own in share.items():
        others = [share[other] for other in share if other != domain]
        contrast = [value - sum(other[e] for other in others) / len(others) for e, value in enumerate(own)]
        check_ties(contrast, share)
        result[domain] = {"frequency": scored(own), "contrast": scored(contrast),
                          "risk_difference": scored(risk_differences(domain, selected, tokens))}
    return result


def check_ties(contrast, share):
    """Equal contrasts must come from equal shares, or doubles could break the tie either way."""
    for a in range(len(contrast)):
        for b in range(a):
            same = all(values[a] == values[b] for values in share.values())
            assert contrast[a] != contrast[b] or same, "tie of contrasts by different shares"


def risk_differences(domain, selected, tokens):
    """SteerMoE, Eq. 3: A1/N1 - A2/N2; span 1 = the domain's tokens, span 2 = all tokens of the others together."""
    others = [other for other in selected if other != domain]
    n1, n2 = tokens[domain], sum(tokens[other] for other in others)
    return [fractions.Fraction(int(a1), n1) - fractions.Fraction(sum(int(selected[other][e]) for other in others), n2)
            for e, a1 in enumerate(selected[domain])]


def span_scores(selected, important, unimportant, tokens):
    """`risk_difference_importance`: A1/N1 - A2/N2 of important against unimportant tokens. `npmi`: RICE's PMI(x, y)
    / -log2 p(x, y) with x = "the token is important", y = "the expert is selected"; -1 where they never meet.
    tokens: how many there are in all, important and unimportant ones."""
    t, m, c = tokens
    risk = [fractions.Fraction(int(i), m) - fractions.Fraction(int(u), c) for i, u in zip(important, unimportant)]
    return {"risk_difference_importance": scored(risk),
            "npmi": scored([npmi(int(k) / t, m / t, int(n) / t) for n, k in zip(selected, important)])}


def npmi(p_xy, p_x, p_y):
    return -1.0 if p_xy == 0 else math.log2(p_xy / (p_x * p_y)) / -math.log2(p_xy)


def importance_scores(selected, important, unimportant):
    """`paper` (n_imp - n_unimp) / N and `released_code` n (n_imp - n_unimp) / N; N = all selections."""
    total = int(sum(selected))
    difference = [int(i) - int(u) for i, u in zip(important, unimportant)]
    scores = {"paper": scored([fractions.Fraction(d, total) for d in difference]),
              "released_code": scored([fractions.Fraction(int(n) * d, total) for n, d in zip(selected, difference)])}
    for entry in scores.values():
        entry["spearman_with_frequency"] = float(spearmanr(entry["score"], list(selected)).statistic)
    return scores
