#include "experiments/hub_cache.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/base/files.h"

namespace moelab::experiments {
namespace {

namespace fs = std::filesystem;

bool is_hub_name(std::string_view part) {
  const auto is_alnum = [](char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0; };
  return !part.empty() && is_alnum(part.front()) && part.find("..") == part.npos &&
         std::all_of(part.begin(), part.end(), [&](char letter) {
           return is_alnum(letter) || letter == '.' || letter == '_' || letter == '-';
         });
}

// The variable's value; nothing when it is not set or empty.
std::optional<fs::path> variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return fs::path(value);
}

// A commit or branch that stays inside its folder.
bool is_inside(const fs::path& revision) {
  return !revision.empty() && revision.is_relative() &&
         std::none_of(revision.begin(), revision.end(), [](const fs::path& part) { return part == ".."; });
}

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
  return text;
}

}  // namespace

bool is_hub_id(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != text.npos && is_hub_name(text.substr(0, slash)) && is_hub_name(text.substr(slash + 1));
}

fs::path hub_cache_directory() {
  if (const auto cache = variable("HF_HUB_CACHE")) return *cache;
  if (const auto home = variable("HF_HOME")) return *home / "hub";
  const auto cache = variable("XDG_CACHE_HOME");
  return (cache ? *cache : variable("HOME").value_or(".") / ".cache") / "huggingface" / "hub";
}

std::optional<fs::path> cached_snapshot(const fs::path& cache, const std::string& hub_id,
                                        const std::string& revision) {
  if (!is_hub_id(hub_id) || !is_inside(revision)) return std::nullopt;
  std::string folder = "models--" + hub_id;
  folder.replace(folder.find('/'), 1, "--");
  const fs::path model = cache / folder;
  std::string commit = revision;
  const fs::path ref = model / "refs" / revision;
  if (fs::is_regular_file(ref)) commit = trimmed(read_text(ref));
  if (!is_inside(commit) || !fs::is_directory(model / "snapshots" / commit)) return std::nullopt;
  return model / "snapshots" / commit;
}

}  // namespace moelab::experiments
