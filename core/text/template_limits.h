// Bounds on what a template may cost, so that a hostile one ends with an error and not with the machine.
#pragma once

#include <cstdint>

#include "core/text/template_error.h"

namespace moelab::text {

struct TemplateLimits {
  // Bytes of template text.
  std::uint64_t source_bytes = 1 << 20;
  // Nesting of expressions and statements in the template, and of lists and objects in values.
  int nesting = 160;
  // Nesting of what is being evaluated: expressions, statements, macro calls and recursive loops together.
  int depth = 1200;
  // Iterations of all loops together.
  std::uint64_t loops = 1'000'000;
  // Bytes of one text and of the output.
  std::uint64_t text_bytes = 32 << 20;
  // Elements of one list.
  std::uint64_t list_items = 1'000'000;
  // Evaluated nodes, plus one for every 8 bytes of text made (32 where it is only read) and four for every
  // element.
  std::uint64_t work = 20'000'000;
};

namespace jinja {

// Counts what one rendering has cost. Every method throws a Fault of type "Limit" that names the limit.
class Budget {
 public:
  explicit Budget(const TemplateLimits& limits) : limits_(limits) {}

  void spend(std::uint64_t units) {
    work_ += units;
    if (work_ > limits_.work) fail("Limit", "more than {} steps of work (limit 'work')", limits_.work);
  }

  // To be called before a text of `bytes` is made.
  void text(std::uint64_t bytes) {
    if (bytes > limits_.text_bytes)
      fail("Limit", "a text of more than {} bytes (limit 'text_bytes')", limits_.text_bytes);
    spend(bytes / 8);
  }

  // To be called before a list of `count` elements is made.
  void items(std::uint64_t count) {
    if (count > limits_.list_items)
      fail("Limit", "a list of more than {} elements (limit 'list_items')", limits_.list_items);
    spend(4 * count);
  }

  void loop() {
    if (++loops_ > limits_.loops)
      fail("Limit", "more than {} iterations of loops (limit 'loops')", limits_.loops);
  }

  const TemplateLimits& limits() const { return limits_; }

 private:
  TemplateLimits limits_;
  std::uint64_t work_ = 0;
  std::uint64_t loops_ = 0;
};

}  // namespace jinja
}  // namespace moelab::text
