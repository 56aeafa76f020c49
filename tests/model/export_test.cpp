// Exported directories: the same model bit for bit, in the files that transformers loaded, whole or not at
// all.
#include "core/model/export.h"

#include <ATen/ops/full.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>

#include "core/base/hash.h"
#include "tests/support/catch.h"
#include "tests/support/changed_model.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

std::optional<at::ScalarType> dtype_named(const Json& name) {
  if (name.is_null()) return std::nullopt;
  if (name == "float32") return at::kFloat;
  return name == "float16" ? at::kHalf : at::kBFloat16;
}

std::vector<at::Tensor> logits_of(const fs::path& model) {
  return load_engine(model).logits(std::vector<engine::Tokens>{{5, 17, 4, 99, 23}, {61, 7}});
}

std::size_t entries_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("an export has the very files that transformers loaded with equal logits, and ours are equal too",
          "[model]") {
  const Json record = read_json(data_dir() / "model" / "export.json");
  REQUIRE(record.at("cases").size() >= 10);
  for (const Json& entry : record.at("cases")) {
    INFO(entry.dump());
    CHECK(entry.at("transformers_logits_equal") == true);
    const ScratchDir scratch;
    const fs::path source = data_dir() / "model" / entry.at("checkpoint").get<std::string>();
    model::ExportOptions options;
    options.dtype = dtype_named(entry.at("dtype"));
    options.shard_bytes = entry.at("shard_bytes");
    const model::ExportReport report = model::export_checkpoint(source, scratch / "out", options);
    CHECK(report.shards == static_cast<std::int64_t>(entry.at("files").size()));
    for (const auto& [name, digest] : entry.at("files").items())
      CHECK(sha256_file(scratch / "out" / name) == digest.get<std::string>());
    const auto expected = logits_of(source), ours = logits_of(scratch / "out");
    for (std::size_t p = 0; p < expected.size(); ++p) CHECK(at::equal(ours[p], expected[p]));
  }
}

TEST_CASE("an export says its type in config.json, and takes every file along that is no weights",
          "[model]") {
  const ScratchDir scratch;
  const fs::path source = source_dir() / "models" / "demo" / "mixed";
  model::ExportOptions options;
  options.dtype = at::kFloat;
  const model::ExportReport report = model::export_checkpoint(source, scratch / "out", options);
  const model::Checkpoint before(source), after(scratch / "out");
  CHECK(report.tensors == static_cast<std::int64_t>(before.names().size()));
  CHECK(report.bytes == static_cast<std::int64_t>(after.total_bytes()));
  CHECK(after.total_bytes() == 2 * before.total_bytes());  // bfloat16 before
  const Json config = read_json(scratch / "out" / "config.json");
  CHECK(config.at("dtype") == "float32");
  CHECK(config.at("torch_dtype") == "float32");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "generation_config.json", "README.md"})
    CHECK(read_text(scratch / "out" / name) == read_text(source / name));
}

TEST_CASE("an export overwrites nothing and leaves nothing behind when it fails", "[model]") {
  const ScratchDir scratch;
  const fs::path source = data_dir() / "model" / "olmoe_tiny";
  fs::create_directory(scratch / "taken");
  CHECK_THROWS_WITH(model::export_checkpoint(source, scratch / "taken", {}),
                    ContainsSubstring("taken: is there already"));
  CHECK_THROWS_AS(model::export_checkpoint(source, scratch / "taken/", {}), ConfigError);
  model::ExportOptions options;
  options.on_bytes = [](std::int64_t done, std::int64_t total) {
    if (2 * done > total) throw Interrupted("enough");
  };
  CHECK_THROWS_AS(model::export_checkpoint(source, scratch / "out", options), Interrupted);
  options = {};
  options.shard_bytes = 0;
  CHECK_THROWS_AS(model::export_checkpoint(source, scratch / "out", options), ConfigError);
  CHECK(entries_in(scratch.path()) == 1);
  CHECK(entries_in(scratch / "taken") == 0);
}

TEST_CASE("packed weights, and what a family keeps in float32, keep their types and values", "[model]") {
  const auto [name, kept] = GENERATE(table<std::string, std::vector<std::string>>(
      {{"gpt_oss_tiny", {"_blocks", "_scales"}},
       {"ernie4_5_moe_tiny", {"mlp.gate.weight", "e_score_correction_bias"}},
       {"glm4_moe_tiny", {"e_score_correction_bias"}},
       {"deepseek_v3_tiny", {"e_score_correction_bias"}},
       {"olmoe_tiny", {}}}));
  CAPTURE(name);
  const ScratchDir scratch;
  model::ExportOptions options;
  options.dtype = at::kBFloat16;
  model::export_checkpoint(data_dir() / "model" / name, scratch / "out", options);
  const model::Checkpoint before(data_dir() / "model" / name), after(scratch / "out");
  std::size_t found = 0;
  for (const std::string& tensor : before.names()) {
    CAPTURE(tensor);
    const at::Tensor stored = before.tensor(tensor), written = after.tensor(tensor);
    const auto ends = [&](const std::string& ending) { return tensor.ends_with(ending); };
    if (std::any_of(kept.begin(), kept.end(), ends)) {
      ++found;
      CHECK((stored.scalar_type() == at::kFloat || stored.scalar_type() == at::kByte));
      CHECK(written.scalar_type() == stored.scalar_type());
      CHECK(at::equal(written, stored));
    } else {
      CHECK(written.scalar_type() == at::kBFloat16);
    }
  }
  CHECK(found >= kept.size());
}

TEST_CASE("a file that cannot be copied is an error that names its place", "[model]") {
  const ChangedModel changed;
  const fs::path templates = changed.path() / "additional_chat_templates";
  fs::create_directory(templates);
  REQUIRE(::mkfifo((templates / "pipe").c_str(), 0600) == 0);
  const ScratchDir scratch;
  CHECK_THROWS_AS(model::export_checkpoint(changed.path(), scratch / "out", {}), FileError);
  CHECK_THROWS_WITH(
      model::export_checkpoint(changed.path(), scratch / "out", {}),
      ContainsSubstring("cannot be exported") && ContainsSubstring("additional_chat_templates"));
  CHECK(entries_in(scratch.path()) == 0);
}

TEST_CASE("a weight that the narrower type cannot hold, and NaN, are errors that name the tensor",
          "[model]") {
  const ScratchDir scratch;
  model::ExportOptions options;
  options.dtype = at::kHalf;
  const std::string name = "model.norm.weight";
  const ChangedModel large, broken;
  // The largest float16 is 65504.
  large.set_tensor(name, at::full({32}, 1e5f));
  CHECK_THROWS_WITH(model::export_checkpoint(large.path(), scratch / "out", options),
                    ContainsSubstring(name) && ContainsSubstring("holds values that Half cannot"));
  broken.set_tensor(name, at::full({32}, std::nanf("")));
  CHECK_THROWS_WITH(model::export_checkpoint(broken.path(), scratch / "out", {}),
                    ContainsSubstring(name) && ContainsSubstring("NaN or infinity"));
  CHECK(!fs::exists(scratch / "out"));
}
