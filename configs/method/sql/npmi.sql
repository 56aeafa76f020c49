-- RICE's normalised pointwise mutual information of "the token is important" and "the expert is selected":
-- k of M important tokens and n of T tokens select the expert. -1 where k = 0, 0 where k = T.
WITH own AS (
  SELECT layer, expert, 1.0 * n AS n, 1.0 * n_important AS k FROM counts JOIN target USING (domain)
), tokens AS (
  SELECT sum(n) / (moe_layers * top_k) AS t, sum(k) / (moe_layers * top_k) AS m FROM own JOIN model
)
SELECT layer, expert,
       CASE WHEN k = 0 THEN -1.0
            WHEN k = t THEN 0.0
            ELSE (log2(k / m) + log2(t / n)) / log2(t / k) END AS score
FROM own JOIN tokens;
