-- Usage n / N on the domain minus the mean usage on the other domains.
WITH usage AS (
  SELECT domain, layer, expert, 1.0 * n / sum(n) OVER (PARTITION BY domain) AS share FROM counts
)
SELECT own.layer, own.expert,
       own.share - (SELECT avg(share) FROM usage AS other
                    WHERE other.layer = own.layer AND other.expert = own.expert AND other.domain <> own.domain) AS score
FROM usage AS own JOIN target USING (domain);
