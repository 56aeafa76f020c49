#!/usr/bin/env python3
"""Writes the figures that README, docs and model cards quote, as docs/figures/NAME.json with the commands behind them.

    python3 scripts/figures.py demo                         # runs study=demo (or what is missing of it) and reads it
    python3 scripts/figures.py models --db results/moelab.db  # the training runs of the bundled models
    python3 scripts/figures.py written                      # runs what docs/demo-data.md says of written answers

`demo` holds the tables as rows and as the text that README shows; `models` holds steps, tokens and accuracy of each
training run; `written` what the bundled models write. Figures come from the database alone, by moelab's own commands.
"""
import argparse
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
MOELAB = ROOT / "build/release/moelab"

# Mean selection rate of the planted experts, by kind, on their own domain's discovery questions and on the others'.
RATES = """
SELECT model.name AS model, planted.kind AS kind, planted.domain = d.domain AS own,
       round(avg(coalesce(used.n, 0) * 1.0 / d.n_tokens), 3) AS rate, count(*) AS pairs
FROM model JOIN discovery_run AS d ON d.model = model.id
JOIN planted_expert AS planted ON planted.model = model.name
LEFT JOIN (SELECT run, layer, expert, sum(n) AS n FROM routing_count GROUP BY run, layer, expert) AS used
  ON used.run = d.id AND used.layer = planted.layer AND used.expert = planted.expert
WHERE model.name IN ('demo_specialised', 'demo_misrouted')
GROUP BY model.name, planted.kind, own ORDER BY model.name, planted.kind, own DESC"""

TRAINING = """
SELECT name, json_extract(config, '$.steps') AS steps, last.step AS last_step, last.tokens, round(last.seconds) AS seconds,
       round(json_extract(last.evaluation, '$.accuracy'), 4) AS accuracy, code_version
FROM training_run JOIN training_step AS last ON last.run = training_run.id
WHERE last.step = (SELECT max(step) FROM training_step WHERE run = training_run.id)
  AND finished IS NOT NULL ORDER BY training_run.id"""

# Of each model (and kind of sum): shares and mean thinking tokens of the samples of one study.
WRITTEN = """
SELECT m.name AS model, {more} count(*) AS samples, round(avg(v.correct), 3) AS correct, round(avg(s.n_think), 1) AS thinking,
       round(avg(s.closed), 3) AS closed, round(avg(s.truncated), 3) AS cut_off, round(avg(v.answer IS NULL), 3) AS no_answer,
       round(avg(CASE WHEN q.n_options > 0 THEN
         s.output LIKE ' ' || json_extract(q.options, '$[' || (unicode(q.gold) - 65) || ']') || '.%' END), 3) AS right_value
FROM study_cell AS x JOIN study AS y ON y.id = x.study AND y.name = '{study}' JOIN cell AS c ON c.id = x.cell
JOIN model AS m ON m.id = c.model JOIN sample AS s ON s.cell = c.id JOIN verdict AS v ON v.sample = s.id
JOIN question AS q ON q.id = s.question GROUP BY 1 {group} ORDER BY 1 {group}"""


def moelab(*words):
    done = subprocess.run([MOELAB, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def shown(*words):
    return "moelab " + " ".join(words)


def rows(sql, database):
    return json.loads(moelab("query", " ".join(sql.split()), "--json", f"db={database}"))


def planted_values():
    """The planted pairs as a VALUES list, so that one query can join them."""
    found = []
    for name in ("specialised", "misrouted"):
        truth = json.loads((ROOT / f"models/demo/{name}/planted.json").read_text())
        found += [(f"demo_{name}", domain, e["layer"], e["expert"], e["kind"])
                  for domain, experts in truth["planted"].items() for e in experts]
    listed = ", ".join("(%s)" % ", ".join(repr(v) for v in row) for row in found)
    return f"WITH planted_expert (model, domain, layer, expert, kind) AS (VALUES {listed}) "


def demo(database):
    run = ("run", "study=demo", f"db={database}")
    tables = {name: ("table", name, "study=demo", f"db={database}") for name in ("verdict", "methods", "overlap")}
    moelab(*run)
    return {"commands": [shown(*run), *(shown(*words) for words in tables.values())],
            "text": {name: moelab(*words).splitlines() for name, words in tables.items()},
            "comparisons": rows("""SELECT model.name AS model, c.domain, method, draw, steered_domain, n, accuracy_original,
                accuracy, wrong_right, right_wrong, gain, lo, hi, p, p_holm, p_null, n_null, gain_other_domains, settings
                FROM comparison AS c JOIN model ON model.id = c.model JOIN study ON study.id = c.study
                WHERE study.name = 'demo' AND draw = 0 AND steered_domain = c.domain
                ORDER BY model.name, c.domain, method""", database),
            "selection_rates": rows(planted_values() + RATES, database),
            "cost": rows("""SELECT count(*) AS cells, (SELECT count(*) FROM sample) AS samples FROM cell""", database)}


def written(database):
    runs = [("run", "study=demo_thinking", "name=sums_all", "axes.method=[original]", "nulls.aa=false", "limit=0",
             f"db={database}"), ("run", "study=demo_written", f"db={database}"),
            ("run", "study=demo_thinking", f"db={database}")]
    table = ("table", "thinking", "study=demo_thinking", f"db={database}")
    for run in runs:
        moelab(*run)
    by_kind = {"more": "q.subdomain AS kind,", "group": ", q.subdomain"}
    return {"commands": [shown(*words) for words in (*runs, table)],
            "sums": rows(WRITTEN.format(study="sums_all", more="", group=""), database),
            "sums_by_kind": rows(WRITTEN.format(study="sums_all", **by_kind), database),
            "options": rows(WRITTEN.format(study="demo_written", more="", group=""), database),
            "text": {"thinking": moelab(*table).splitlines()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", choices=["demo", "models", "written"])
    parser.add_argument("--db", nargs="+", default=["results/moelab.db"], help="several where runs have their own")
    arguments = parser.parse_args()
    if arguments.figures != "models":
        found = {"demo": demo, "written": written}[arguments.figures](arguments.db[0])
    else:
        found = {"commands": [f"moelab train train={name}" for name in ("specialised", "misrouted", "mixed")],
                 "runs": [run for database in arguments.db for run in rows(TRAINING, database)]}
    found = {"made_by": f"scripts/figures.py {arguments.figures}", **found}
    out = ROOT / f"docs/figures/{arguments.figures}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n")
    print(f"wrote {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
