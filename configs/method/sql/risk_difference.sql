-- SteerMoE, Eq. 3: A1 / N1 - A2 / N2, the share of the domain's tokens that select the expert minus the share of the
-- other domains' tokens. Every token makes moe_layers * top_k selections. One fraction, so that ties stay ties.
WITH spans AS (
  SELECT layer, expert, sum(CASE WHEN domain = (SELECT domain FROM target) THEN n ELSE 0 END) AS a1,
         sum(CASE WHEN domain = (SELECT domain FROM target) THEN 0 ELSE n END) AS a2
  FROM counts GROUP BY layer, expert
), totals AS (
  SELECT sum(a1) AS n1, sum(a2) AS n2 FROM spans
)
SELECT layer, expert, 1.0 * moe_layers * top_k * (a1 * n2 - a2 * n1) / (n1 * n2) AS score
FROM spans JOIN totals JOIN model;
