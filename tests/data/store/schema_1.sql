-- The schema of moelab's database, version 1. core/store/schema.cpp executes it on a new file; a change needs a new
-- version and a step in `migrations` there. docs/database.md explains it by examples.
--
-- Conventions. Every table is STRICT. Times are UTC, ISO 8601. Digests are SHA-256 in hexadecimal. JSON is text that
-- SQLite's JSON functions read. Names (domain, method, mode ...) are plain text, '' where none applies, so that they
-- can be part of a key. Probabilities, accuracies and gains are fractions, never per cent. Flags are 0 or 1.

CREATE TABLE meta (                     -- one row
  schema_version INTEGER NOT NULL,
  created        TEXT NOT NULL
) STRICT;

CREATE TABLE study (                    -- a named experiment: one whole grid under one composed config
  id           INTEGER PRIMARY KEY,
  name         TEXT NOT NULL,
  config       TEXT NOT NULL CHECK (json_valid(config)),
  config_hash  TEXT NOT NULL,
  protocol     TEXT NOT NULL,           -- crossfit, holdout or paper
  code_version TEXT NOT NULL,
  libraries    TEXT NOT NULL CHECK (json_valid(libraries)),  -- name -> version
  device       TEXT NOT NULL,
  created      TEXT NOT NULL,
  finished     TEXT,                    -- NULL while cells are missing
  UNIQUE (name, config_hash)            -- the same name with another config is another row; the newest one counts
) STRICT;

CREATE TABLE model (
  id               INTEGER PRIMARY KEY,
  digest           TEXT NOT NULL UNIQUE,  -- of the weights and the config
  name             TEXT NOT NULL,
  path             TEXT NOT NULL,
  family           TEXT NOT NULL,         -- model_type
  spec             TEXT NOT NULL CHECK (json_valid(spec)),  -- layers, experts, top_k, hidden, dtype ...
  tokenizer_digest TEXT NOT NULL
) STRICT;

CREATE TABLE question (
  id          INTEGER PRIMARY KEY,
  set_name    TEXT NOT NULL,            -- the benchmark or question set
  name        TEXT NOT NULL,            -- its id there
  group_id    TEXT NOT NULL,            -- entity, shared stem or near-duplicates: never divided by a split
  domain      TEXT NOT NULL,
  subdomain   TEXT NOT NULL,
  text        TEXT NOT NULL,
  text_digest TEXT NOT NULL,            -- of text, options and gold: a changed question is a new row
  options     TEXT NOT NULL CHECK (json_valid(options)),  -- [] for free answers
  gold        TEXT NOT NULL,            -- the option's letter, or the free answer
  n_options   INTEGER NOT NULL,
  exposure    INTEGER,                  -- how often training showed the fact; NULL where unknown
  UNIQUE (set_name, name, text_digest)
) STRICT;
CREATE INDEX question_by_domain ON question (set_name, domain);

CREATE TABLE split (                    -- what a study uses a question for
  study      INTEGER NOT NULL REFERENCES study (id),
  assignment INTEGER NOT NULL,          -- index of the fold assignment; 0 where there is one only
  question   INTEGER NOT NULL REFERENCES question (id),
  role       TEXT NOT NULL CHECK (role IN ('discovery', 'tuning', 'test')),
  fold       INTEGER NOT NULL,          -- -1 outside of folds
  PRIMARY KEY (study, assignment, question)
) STRICT, WITHOUT ROWID;

CREATE TABLE discovery_run (            -- importance, routing and scores of one model on one domain's questions
  id          INTEGER PRIMARY KEY,
  key         TEXT NOT NULL UNIQUE,     -- hash of all that can change its figures
  model       INTEGER NOT NULL REFERENCES model (id),
  domain      TEXT NOT NULL,
  settings    TEXT NOT NULL CHECK (json_valid(settings)),
  n_questions INTEGER NOT NULL,
  n_tokens    INTEGER NOT NULL,
  seconds     REAL NOT NULL
) STRICT;
CREATE INDEX discovery_run_by_model ON discovery_run (model, domain);

CREATE TABLE token_importance (
  run        INTEGER NOT NULL REFERENCES discovery_run (id),
  question   INTEGER NOT NULL REFERENCES question (id),
  position   INTEGER NOT NULL,          -- in the rendered prompt, from 0
  token      TEXT NOT NULL,             -- as the tokenizer writes it
  importance REAL NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('important', 'common', 'excluded')),
  PRIMARY KEY (run, question, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE routing_count (            -- tokens of a question routed to an expert; only rows with n > 0
  run           INTEGER NOT NULL REFERENCES discovery_run (id),
  question      INTEGER NOT NULL REFERENCES question (id),
  layer         INTEGER NOT NULL,
  expert        INTEGER NOT NULL,
  n             INTEGER NOT NULL CHECK (n > 0),
  n_important   INTEGER NOT NULL,
  n_unimportant INTEGER NOT NULL,
  PRIMARY KEY (run, question, layer, expert)
) STRICT, WITHOUT ROWID;

CREATE TABLE expert_score (
  run    INTEGER NOT NULL REFERENCES discovery_run (id),
  score  TEXT NOT NULL,                 -- paper, released_code, contrast, frequency ...
  layer  INTEGER NOT NULL,
  expert INTEGER NOT NULL,
  value  REAL NOT NULL,
  rank   INTEGER NOT NULL,              -- 1 = best, over all layers, ties by (layer, expert)
  PRIMARY KEY (run, score, layer, expert)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan (                     -- what steering does to the router
  id          INTEGER PRIMARY KEY,
  digest      TEXT NOT NULL UNIQUE,     -- of the entries, the mode and where they come from
  method      TEXT NOT NULL,
  mode        TEXT NOT NULL,            -- steering.mode
  alpha       REAL NOT NULL,            -- 1 for the original
  logit_shift REAL NOT NULL,            -- ln(alpha)
  n_steered   INTEGER NOT NULL,         -- the paper's K
  draw        INTEGER NOT NULL,         -- number of a null's draw, 0 elsewhere
  domain      TEXT NOT NULL,            -- whose experts are steered, '' for none
  run         INTEGER REFERENCES discovery_run (id)
) STRICT;
CREATE INDEX plan_by_run ON plan (run);

CREATE TABLE plan_entry (
  plan      INTEGER NOT NULL REFERENCES plan (id),
  layer     INTEGER NOT NULL,
  expert    INTEGER NOT NULL,
  operation TEXT NOT NULL,              -- logit_shift, prob_scale, weight_scale, force, forbid
  value     REAL NOT NULL,
  PRIMARY KEY (plan, layer, expert, operation)
) STRICT, WITHOUT ROWID;

CREATE TABLE cell (                     -- one model under one plan on one domain's questions
  id             INTEGER PRIMARY KEY,
  key            TEXT NOT NULL UNIQUE,  -- generation key: all that can change a sample's tokens
  condition      TEXT NOT NULL,         -- the same without the plan: cells of equal condition can be compared
  model          INTEGER NOT NULL REFERENCES model (id),
  benchmark      TEXT NOT NULL,
  domain         TEXT NOT NULL,         -- the tested one
  plan           INTEGER REFERENCES plan (id),  -- NULL: no steering at all
  method         TEXT NOT NULL,         -- 'original' is the one that others are compared with
  n_steered      INTEGER NOT NULL,
  alpha          REAL NOT NULL,
  mode           TEXT NOT NULL,
  draw           INTEGER NOT NULL,
  steered_domain TEXT NOT NULL,
  status         TEXT NOT NULL CHECK (status IN ('pending', 'running', 'done', 'failed', 'partial', 'inert')),
  n_samples      INTEGER NOT NULL,      -- wanted, when pending; stored, when done
  seconds        REAL NOT NULL,
  tokens         INTEGER NOT NULL,
  error          TEXT NOT NULL,         -- '' unless failed
  provenance     TEXT NOT NULL CHECK (json_valid(provenance))  -- device, libraries, threads, sampling, seeds
) STRICT;
CREATE INDEX cell_by_condition ON cell (model, benchmark, domain, condition, method);
CREATE INDEX cell_by_plan ON cell (plan);

CREATE TABLE study_cell (
  study INTEGER NOT NULL REFERENCES study (id),
  cell  INTEGER NOT NULL REFERENCES cell (id),
  role  TEXT NOT NULL,                  -- original, grid, null, aa ...
  PRIMARY KEY (study, cell)
) STRICT, WITHOUT ROWID;
CREATE INDEX study_cell_by_cell ON study_cell (cell);

CREATE TABLE sample (                   -- one question, one repeat, in one cell
  id            INTEGER PRIMARY KEY,
  cell          INTEGER NOT NULL REFERENCES cell (id),
  question      INTEGER NOT NULL REFERENCES question (id),
  repeat        INTEGER NOT NULL,
  key           TEXT NOT NULL,          -- generation key of this sample
  prompt_tokens INTEGER NOT NULL,
  n_think       INTEGER NOT NULL,       -- generated tokens inside the thinking part, markers excluded
  n_answer      INTEGER NOT NULL,       -- generated tokens after it
  closed        INTEGER NOT NULL,       -- the thinking part was ended (1 as well where there is none)
  truncated     INTEGER NOT NULL,       -- stopped by a limit
  stop          TEXT NOT NULL,          -- why it stopped; 'scored' where options were scored
  seconds       REAL NOT NULL,
  output        TEXT,                   -- the generated text, NULL where options were scored
  scores        TEXT,                   -- JSON: each option's log-probability and length, NULL where text was written
  UNIQUE (cell, question, repeat)
) STRICT;

CREATE TABLE verdict (                  -- what an evaluator made of a sample; a new version adds rows
  sample    INTEGER NOT NULL REFERENCES sample (id),
  evaluator TEXT NOT NULL,
  version   INTEGER NOT NULL,
  answer    TEXT,                       -- NULL: none found
  rule      TEXT NOT NULL,              -- which rule found it
  correct   INTEGER NOT NULL CHECK (correct IN (0, 1)),
  guessed   INTEGER NOT NULL CHECK (guessed IN (0, 1)),  -- `correct` is a random guess's
  PRIMARY KEY (sample, evaluator, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE effect_stat (              -- what steering did in a cell's layer
  cell             INTEGER NOT NULL REFERENCES cell (id),
  layer            INTEGER NOT NULL,
  rows             INTEGER NOT NULL,    -- token rows that the plan was applied to
  selections       INTEGER NOT NULL,    -- experts selected in them: rows x top_k
  changed          INTEGER NOT NULL,    -- selections that the unsteered router would not have made
  weight_change    REAL NOT NULL,       -- mean absolute change of an expert's weight, over the rows
  steered_selected INTEGER NOT NULL,    -- selections that are steered experts
  state            TEXT NOT NULL CHECK (state IN ('not_applied', 'applied_no_effect', 'acted')),
  PRIMARY KEY (cell, layer)
) STRICT, WITHOUT ROWID;

CREATE TABLE selection (                -- one choice among a grid's cells
  id             INTEGER PRIMARY KEY,
  study          INTEGER NOT NULL REFERENCES study (id),
  model          INTEGER NOT NULL REFERENCES model (id),
  benchmark      TEXT NOT NULL,
  domain         TEXT NOT NULL,
  method         TEXT NOT NULL,
  draw           INTEGER NOT NULL,
  steered_domain TEXT NOT NULL,
  evaluator      TEXT NOT NULL,
  rule           TEXT NOT NULL,         -- how it was chosen, and on what
  assignment     INTEGER NOT NULL,
  fold           INTEGER NOT NULL,      -- the fold that is reported on; -1 outside of folds
  candidates     TEXT NOT NULL CHECK (json_valid(candidates)),  -- the cells and what they had scored
  chosen         INTEGER NOT NULL REFERENCES cell (id),
  n              INTEGER NOT NULL,      -- questions reported on, and how many of them the chosen cell has right
  correct        INTEGER NOT NULL,
  UNIQUE (study, model, benchmark, domain, method, draw, steered_domain, evaluator, rule, assignment, fold)
) STRICT;
CREATE INDEX selection_by_chosen ON selection (chosen);

CREATE TABLE comparison (               -- a method against the original, materialised: one row of a table
  id                  INTEGER PRIMARY KEY,
  study               INTEGER NOT NULL REFERENCES study (id),
  model               INTEGER NOT NULL REFERENCES model (id),
  benchmark           TEXT NOT NULL,
  domain              TEXT NOT NULL,
  method              TEXT NOT NULL,
  draw                INTEGER NOT NULL,
  steered_domain      TEXT NOT NULL,
  evaluator           TEXT NOT NULL,
  protocol            TEXT NOT NULL,
  n                   INTEGER NOT NULL,
  accuracy_original   REAL NOT NULL,
  accuracy            REAL NOT NULL,
  wrong_right         INTEGER NOT NULL,
  right_wrong         INTEGER NOT NULL,
  gain                REAL NOT NULL,
  lo                  REAL,             -- 95 % interval of the gain
  hi                  REAL,
  p                   REAL,             -- exact McNemar
  p_holm              REAL,             -- the same, adjusted over the study
  p_null              REAL,             -- against the null draws
  n_null              INTEGER NOT NULL,
  gain_other_domains  REAL,             -- of other domains' plans on this domain
  flip_noise          REAL,             -- flips of the original run twice
  smallest_detectable REAL,
  settings            TEXT NOT NULL CHECK (json_valid(settings)),  -- chosen n_steered, alpha, mode; ranges
  UNIQUE (study, model, benchmark, domain, method, draw, steered_domain, evaluator, protocol)
) STRICT;

CREATE TABLE training_run (
  id           INTEGER PRIMARY KEY,
  key          TEXT NOT NULL UNIQUE,    -- hash of config, data and seeds
  name         TEXT NOT NULL,
  config       TEXT NOT NULL CHECK (json_valid(config)),
  code_version TEXT NOT NULL,
  device       TEXT NOT NULL,
  created      TEXT NOT NULL,
  finished     TEXT
) STRICT;

CREATE TABLE training_step (            -- the loss curve; a resumed run writes its steps anew
  run           INTEGER NOT NULL REFERENCES training_run (id),
  step          INTEGER NOT NULL,
  tokens        INTEGER NOT NULL,       -- loss-bearing tokens so far
  loss          REAL NOT NULL,
  balance       REAL,                   -- load-balancing loss
  plant         REAL,                   -- planting loss
  learning_rate REAL,
  gradient_norm REAL,
  seconds       REAL NOT NULL,          -- since the start, without pauses
  evaluation    TEXT CHECK (evaluation IS NULL OR json_valid(evaluation)),
  PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE published (                -- figures from papers, to be shown beside ours
  paper   TEXT NOT NULL,
  item    TEXT NOT NULL,                -- table, figure or page
  model   TEXT NOT NULL,
  domain  TEXT NOT NULL,
  method  TEXT NOT NULL,
  setting TEXT NOT NULL,                -- n_steered, alpha ...
  value   REAL NOT NULL,
  unit    TEXT NOT NULL,
  mark    TEXT NOT NULL,                -- printed, read off a plot, computed
  source  TEXT NOT NULL,
  PRIMARY KEY (paper, item, model, domain, method, setting)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (                    -- what happened and when: starts, interruptions, warnings, failures
  id    INTEGER PRIMARY KEY,
  study INTEGER REFERENCES study (id),
  time  TEXT NOT NULL,
  kind  TEXT NOT NULL,
  text  TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_study ON event (study);

-- The newest version of each evaluator's verdict on a sample.
CREATE VIEW latest_verdict AS
SELECT * FROM verdict AS v
WHERE version = (SELECT max(version) FROM verdict AS w WHERE w.sample = v.sample AND w.evaluator = v.evaluator);

-- accuracy counts a right guess as right (the official figure), accuracy_strict as wrong, accuracy_expected as
-- 1 / n_options.
CREATE VIEW accuracy_by_cell AS
SELECT c.id AS cell, m.name AS model, c.benchmark, c.domain, c.method, c.n_steered, c.alpha, c.mode, c.draw,
       c.steered_domain, c.status, v.evaluator, count(*) AS n, count(DISTINCT s.question) AS n_questions,
       sum(v.correct) AS correct, avg(v.correct) AS accuracy,
       avg(v.correct AND NOT v.guessed) AS accuracy_strict,
       avg(CASE WHEN v.guessed THEN (SELECT 1.0 / max(q.n_options, 1) FROM question AS q WHERE q.id = s.question)
                ELSE v.correct END) AS accuracy_expected,
       sum(v.guessed) AS guessed, sum(s.truncated) AS truncated
FROM cell AS c
JOIN model AS m ON m.id = c.model
JOIN sample AS s ON s.cell = c.id
JOIN latest_verdict AS v ON v.sample = s.id
GROUP BY c.id, v.evaluator;

-- Each cell against the original of the same condition, on the questions and repeats that both have.
CREATE VIEW gain_over_original AS
SELECT c.id AS cell, o.id AS original, m.name AS model, c.benchmark, c.domain, c.method, c.n_steered, c.alpha, c.mode,
       c.draw, c.steered_domain, v.evaluator, count(*) AS n,
       avg(w.correct) AS accuracy_original, avg(v.correct) AS accuracy,
       sum(v.correct > w.correct) AS wrong_right, sum(v.correct < w.correct) AS right_wrong,
       avg(v.correct - w.correct) AS gain
FROM cell AS c
JOIN model AS m ON m.id = c.model
JOIN cell AS o ON o.model = c.model AND o.benchmark = c.benchmark AND o.domain = c.domain
              AND o.condition = c.condition AND o.method = 'original' AND o.id <> c.id
JOIN sample AS s ON s.cell = c.id
JOIN sample AS t ON t.cell = o.id AND t.question = s.question AND t.repeat = s.repeat
JOIN latest_verdict AS v ON v.sample = s.id
JOIN latest_verdict AS w ON w.sample = t.id AND w.evaluator = v.evaluator AND w.version = v.version
GROUP BY c.id, o.id, v.evaluator;

-- Steered domain against tested domain: the diagonal is a method's own domain.
CREATE VIEW transfer AS
SELECT model, benchmark, method, mode, n_steered, alpha, draw, evaluator, steered_domain, domain AS tested_domain,
       n, accuracy_original, accuracy, gain
FROM gain_over_original
WHERE steered_domain <> '';

-- What each selection chose.
CREATE VIEW selected_cell AS
SELECT x.id AS selection, y.name AS study, m.name AS model, x.benchmark, x.domain, x.method, x.draw, x.steered_domain,
       x.evaluator, x.rule, x.assignment, x.fold, c.id AS cell, c.n_steered, c.alpha, c.mode, x.n, x.correct,
       CAST(x.correct AS REAL) / x.n AS accuracy
FROM selection AS x
JOIN study AS y ON y.id = x.study
JOIN model AS m ON m.id = x.model
JOIN cell AS c ON c.id = x.chosen;

CREATE VIEW thinking_tokens AS
SELECT c.id AS cell, m.name AS model, c.benchmark, c.domain, c.method, c.n_steered, c.alpha, c.mode, c.draw,
       c.steered_domain, count(*) AS n, avg(s.n_think) AS mean_think, max(s.n_think) AS most_think,
       avg(s.n_answer) AS mean_answer, avg(s.closed) AS share_closed, avg(s.truncated) AS share_truncated
FROM cell AS c
JOIN model AS m ON m.id = c.model
JOIN sample AS s ON s.cell = c.id
GROUP BY c.id;
