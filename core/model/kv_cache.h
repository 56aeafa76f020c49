// Keys and values of rows that are being generated, in pages, so that a pass reads only its new tokens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/model/layout.h"
#include "core/model/spec.h"

namespace moelab::model {

struct KvCacheOptions {
  std::int64_t pages = 64;        // over all rows
  std::int64_t page_tokens = 16;  // tokens in a page
};

// The place of one row: its pages in order, and how many tokens they hold.
struct KvRow {
  std::vector<std::int64_t> pages;
  std::int64_t tokens = 0;
};

// New tokens of a row in one pass.
struct KvAppend {
  const KvRow* row = nullptr;
  std::int64_t fresh = 0;  // at least one
};

class KvCache {
 public:
  // Allocates everything at once. Throws ConfigError when a size is not positive.
  KvCache(const ModelSpec& spec, const KvCacheOptions& options, at::Device device, at::ScalarType dtype);

  // Bytes that one page takes over all layers.
  static std::int64_t page_bytes(const ModelSpec& spec, std::int64_t page_tokens, at::ScalarType dtype);

  std::int64_t free_pages() const { return static_cast<std::int64_t>(free_.size()); }
  std::int64_t pages() const { return pages_; }
  std::int64_t page_tokens() const { return page_tokens_; }

  // Pages that `row` lacks for `fresh` more tokens.
  std::int64_t missing_pages(const KvRow& row, std::int64_t fresh) const;

  // Makes room for `fresh` more tokens. False, and nothing is taken, when too few pages are free.
  bool reserve(KvRow& row, std::int64_t fresh);

  // Gives the row's pages back and empties it.
  void release(KvRow& row);

  // The layout of a pass over the rows' new tokens: positions go on after those that each row holds, and a
  // token sees all of its row up to itself. The caller adds `fresh` to KvRow::tokens after the pass. Throws
  // Error when room was not reserved.
  Layout layout(std::span<const KvAppend> rows) const;

  // Stores the new keys and values [layout.tokens, kv_heads, head_dim] of one layer, and gives those of all
  // the pass's rows, [sequences, kv_heads, layout.read_width, head_dim].
  struct Read {
    at::Tensor keys, values;
  };
  Read append(std::int64_t layer, const Layout& layout, const at::Tensor& keys, const at::Tensor& values);

 private:
  std::int64_t slot(const KvRow& row, std::int64_t position) const;

  std::int64_t pages_;
  std::int64_t page_tokens_;
  std::vector<at::Tensor> keys_, values_;  // [layers] of [pages * page_tokens, kv_heads, head_dim]
  std::vector<std::int64_t> free_;         // pages, the next one to take last
};

// One layer's share of a cache.
struct LayerCache {
  KvCache* cache = nullptr;
  std::int64_t layer = 0;
};

}  // namespace moelab::model
