// Queries as scores: the shipped ones against the figures of tests/reference/discovery, and what is refused.
#include "experiments/sql_score.h"

#include <fstream>

#include "core/base/json.h"
#include "core/store/store.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;

// The reference's routing counts of one tiny checkpoint as discovery runs in a database.
struct StoredReference {
  explicit StoredReference(const std::string& checkpoint)
      : fields(read_json(testing::data_dir() / "discovery" / (checkpoint + ".json"))),
        spec(model::read_spec(testing::data_dir() / "model" / checkpoint)) {
    store::Store store = store::Store::open(database, store::Mode::read_write_create);
    const store::Id model = store.put_model({"digest", checkpoint, "", "", "{}", ""});
    for (const Json& domain : fields.at("domains")) add_domain(store, model, domain);
  }

  void add_domain(store::Store& store, store::Id model, const Json& domain) {
    const auto name = domain.at("name").get<std::string>();
    const Json& found = fields.at("cases")[0].at("domains").at(name);
    store::DiscoveryRow row{name, model, name, "{}", 5, 0, 0};
    store::DiscoveryData data;
    for (std::size_t q = 0; q < domain.at("questions").size(); ++q) {
      store::QuestionRow question;
      question.set_name = "reference";
      question.name = fmt::format("{}{}", name, q);
      question.domain = name;
      question.gold = "A";
      const store::Id id = store.put_questions({{question}})[0];
      row.n_tokens += std::ssize(domain.at("questions")[q].at("tokens"));
      for (std::size_t c = 0; c < fields.at("experts").size(); ++c)
        data.routing.push_back({id, fields["experts"][c][0].get<int>(), fields["experts"][c][1].get<int>(),
                                domain.at("routing")[q][c].get<std::int64_t>(),
                                found.at("important")[q][c].get<std::int64_t>(),
                                found.at("unimportant")[q][c].get<std::int64_t>()});
    }
    scope.runs[name] = store.put_discovery(row, data);
  }

  std::vector<discovery::RankedExpert> rank(const SqlScore& score, const std::string& domain) const {
    SqlScope target = scope;
    target.target = domain;
    return sql_ranking(database, score, target, spec);
  }

  // Ranks by a query of the test's own.
  std::vector<discovery::RankedExpert> rank(const std::string& query) const {
    const auto file = folder / "my.sql";
    std::ofstream(file) << query;
    return rank(read_sql_score(file), "maths");
  }

  testing::ScratchDir folder;
  std::filesystem::path database = folder / "study.db";
  Json fields;
  model::ModelSpec spec;
  SqlScope scope;
};

void check_ranking(const StoredReference& reference, const std::vector<discovery::RankedExpert>& ranking,
                   const Json& expected) {
  const auto order = expected.at("ranking").get<std::vector<std::size_t>>();
  REQUIRE(ranking.size() == order.size());
  for (std::size_t r = 0; r < order.size(); ++r) {
    CHECK(ranking[r].id.layer == reference.fields["experts"][order[r]][0].get<std::int64_t>());
    CHECK(ranking[r].id.expert == reference.fields["experts"][order[r]][1].get<std::int64_t>());
    const auto value = expected.at("score")[order[r]].get<double>();
    CHECK(ranking[r].value == Catch::Approx(value).epsilon(1e-9).margin(1e-12));
  }
}

}  // namespace

TEST_CASE("The shipped queries give the reference's scores and rankings", "[experiments]") {
  const StoredReference reference(GENERATE(as<std::string>(), "qwen3_moe_tiny", "olmoe_tiny"));
  const auto [file, score] = GENERATE(table<std::string, std::string>({{"eq8", "paper"},
                                                                       {"released", "released_code"},
                                                                       {"contrast", "contrast"},
                                                                       {"risk_difference", "risk_difference"},
                                                                       {"npmi", "npmi"}}));
  INFO(file);
  const SqlScore query =
      read_sql_score(testing::source_dir() / "configs" / "method" / "sql" / (file + ".sql"));
  CHECK(query.name().starts_with("sql/" + file + "@"));
  for (const Json& domain : reference.fields.at("domains")) {
    const auto name = domain.at("name").get<std::string>();
    const Json& in_case = reference.fields.at("cases")[0].at("domains").at(name);
    check_ranking(reference, reference.rank(query, name),
                  domain.contains(score) ? domain.at(score) : in_case.at(score));
  }
}

TEST_CASE("A query sees the documented tables of its own runs alone", "[experiments]") {
  const StoredReference reference("olmoe_tiny");
  const auto one = [&](const std::string& value) {
    return reference.rank("SELECT 0 AS layer, 0 AS expert, " + value + " AS score").at(0).value;
  };
  const auto& spec = reference.spec;
  CHECK(one("(SELECT layers * 100 + experts + top_k / 100.0 FROM model)") ==
        Catch::Approx(static_cast<double>(spec.layers * 100 + spec.router.experts) +
                      static_cast<double>(spec.router.top_k) / 100));
  CHECK(one("(SELECT count(*) FROM experts)") == static_cast<double>(spec.layers * spec.router.experts));
  CHECK(one("(SELECT count(DISTINCT domain) FROM routing)") == 3);
  CHECK(one("(SELECT sum(questions) FROM domains)") == 15);
  CHECK(one("(SELECT domain = 'maths' FROM target)") == 1);
  CHECK(one("(SELECT sum(n) FROM routing) - (SELECT sum(n) FROM counts)") == 0);
  CHECK(one("(SELECT count(*) FROM importance)") == 0);
}

TEST_CASE("A ranking falls by score, ties by layer and expert, and leaves out what the query does not give",
          "[experiments]") {
  const StoredReference reference("olmoe_tiny");
  const auto ranking = reference.rank(
      "SELECT column1 AS layer, column2 AS expert, column3 AS score FROM "
      "(VALUES (1, 2, 0.5), (0, 3, 0.5), (1, 1, -2), (0, 1, 9))");
  REQUIRE(ranking.size() == 4);
  CHECK(ranking[0].id == steering::ExpertId{0, 1});
  CHECK(ranking[1].id == steering::ExpertId{0, 3});
  CHECK(ranking[2].id == steering::ExpertId{1, 2});
  CHECK(ranking[3].value == -2);
}

TEST_CASE("What is wrong with a query is said with its file and row", "[experiments]") {
  const StoredReference reference("qwen3_moe_tiny");  // layer 1 is dense
  const auto fails = [&](const std::string& query, const std::string& text) {
    INFO(query);
    CHECK_THROWS_WITH(reference.rank(query), ContainsSubstring("my.sql") && ContainsSubstring(text));
  };
  const std::string one = "SELECT 0 AS layer, 0 AS expert, ";
  fails("DELETE FROM sample", "one SELECT from target");
  fails("CREATE TABLE x (y)", "does more than read");
  fails("PRAGMA user_version = 3", "does more than read");
  fails(one + "1 AS score; " + one + "2 AS score", "one statement at a time");
  fails("SELECT layer, expert FROM experts", "columns layer, expert and score");
  fails("SELECT layer, expert, 1 AS score, 2 AS score FROM experts", "one each");
  fails("SELEKT 1", "syntax error");
  fails(one + "(SELECT count(*) FROM sample) AS score", "reads 'sample'");
  fails("WITH counts AS (SELECT sum(correct) AS n FROM main.verdict) " + one + "n AS score FROM counts",
        "reads 'verdict'");
  fails("SELECT layer, expert, 1 AS score FROM main.routing_count", "reads 'routing_count'");
  // A view's name borrowed does not open what the view reads: counts of other runs are none of a query's
  // business.
  for (const char* name : {"routing", "importance", "domains", "counts"}) {
    const std::string borrowed = std::string("WITH ") + name + " AS ";
    fails(
        borrowed +
            "(SELECT layer, expert, n FROM main.routing_count) SELECT layer, expert, sum(n) AS score FROM " +
            name + " GROUP BY 1, 2",
        "reads 'routing_count'");
    fails(borrowed + "MATERIALIZED (SELECT max(importance) AS i FROM main.token_importance) " + one +
              "i AS score FROM " + name,
          "reads 'token_importance'");
    fails(
        one + "(SELECT max(x) FROM (SELECT n_tokens AS x FROM main.discovery_run) AS " + name + ") AS score",
        "reads 'discovery_run'");
  }
  fails("SELECT layer, expert, 1 AS score FROM experts WHERE layer > 9", "no row for the domain 'maths'");
  fails(one + "1 / 0 AS score", "row 1 of the result: score is NULL");
  fails(one + "'good' AS score", "'good', which is no finite number");
  fails(one + "9e999 AS score", "no finite number");
  fails("SELECT 0.5 AS layer, 0 AS expert, 1 AS score", "layer is 0.5, which is no index");
  fails("SELECT 3 AS layer, 0 AS expert, 1 AS score", "the model has layers 0 to 2");
  fails("SELECT 1 AS layer, 0 AS expert, 1 AS score", "layer 1 is dense");
  fails("SELECT 0 AS layer, 8 AS expert, 1 AS score", "experts 0 to 7");
  fails(one + "1 AS score UNION ALL " + one + "2 AS score",
        "row 2 of the result: layer 0, expert 0 is there twice");
  CHECK_THROWS_AS(read_sql_score(reference.folder / "missing.sql"), FileError);
}

}  // namespace moelab::experiments
