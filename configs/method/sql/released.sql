-- DSMoE as its released code computes it: n (n_important - n_unimportant) / N, N = the domain's selections.
SELECT layer, expert,
       1.0 * n * (n_important - n_unimportant) / (SELECT sum(n) FROM counts JOIN target USING (domain)) AS score
FROM counts JOIN target USING (domain);
