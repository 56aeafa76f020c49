-- DSMoE, Eq. 8: P(e|D) [P(S|e) - P(C|e)] = (n_important - n_unimportant) / N, N = the domain's selections.
SELECT layer, expert,
       1.0 * (n_important - n_unimportant) / (SELECT sum(n) FROM counts JOIN target USING (domain)) AS score
FROM counts JOIN target USING (domain);
