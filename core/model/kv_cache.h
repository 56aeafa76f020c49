// Keys and values of rows that are being generated, in pages, so that a pass reads only its new tokens; rows
// with the same beginning share its pages.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/model/layout.h"
#include "core/model/recurrent_state.h"
#include "core/model/spec.h"

namespace moelab::model {

struct KvCacheOptions {
  std::int64_t pages = 64;        // over all rows
  std::int64_t page_tokens = 16;  // tokens in a page
};

// The place of one row: its pages in order, and how many tokens they hold. Copies of this struct are no rows
// of their own: KvCache::share makes one.
struct KvRow {
  std::vector<std::int64_t> pages;
  std::int64_t tokens = 0;
  std::int64_t length = 0;  // that the row was known to get when these were read; see KvAppend
  RowStates states;         // after those tokens; see recurrent_pass.h
};

// New tokens of a row in one pass.
struct KvAppend {
  const KvRow* row = nullptr;
  std::int64_t fresh = 0;   // at least one
  std::int64_t length = 0;  // tokens that the row will have when all that is known of it is read; at least
                            // those of this pass count
};

class KvCache {
 public:
  // Allocates everything at once. Throws ConfigError when a size is not positive, and one that says how many
  // bytes were asked for when memory is short.
  KvCache(const ModelSpec& spec, const KvCacheOptions& options, at::Device device, at::ScalarType dtype);

  // Bytes that one page takes over all layers that attend.
  static std::int64_t page_bytes(const ModelSpec& spec, std::int64_t page_tokens, at::ScalarType dtype);

  std::int64_t free_pages() const { return static_cast<std::int64_t>(free_.size()); }
  std::int64_t pages() const { return pages_; }
  std::int64_t page_tokens() const { return page_tokens_; }

  // Free pages that `fresh` more tokens of `row` take: those that it lacks, and one for a page that it would
  // write to and that another row holds too.
  std::int64_t missing_pages(const KvRow& row, std::int64_t fresh) const;

  // Makes room for `fresh` more tokens; a page that another row holds too is copied before the row writes to
  // it. False, and nothing is taken, when too few pages are free.
  bool reserve(KvRow& row, std::int64_t fresh);

  // A new row that begins with the first `tokens` tokens of `row`, in the same pages. Either row must reserve
  // room anew before it reads on. Throws Error when `row` has read fewer tokens, or when it has a recurrent
  // state and `tokens` is neither 0 nor all that it has read: a state stands where the row does.
  KvRow share(const KvRow& row, std::int64_t tokens);

  // Pages that would come free with the row: those that no other row holds.
  std::int64_t own_pages(const KvRow& row) const;

  // Gives the row's pages back, where no other row holds them, and empties it.
  void release(KvRow& row);

  // The layout of a pass over the rows' new tokens: positions go on after those that each row holds, and a
  // token sees all of its row up to itself. The caller adds `fresh` to KvRow::tokens after the pass, and
  // takes the row's new states from RecurrentPass. Throws Error when room was not reserved.
  Layout layout(std::span<const KvAppend> rows) const;

  // Stores the new keys and values [layout.tokens, kv_heads, head_dim] of one layer, and gives those of all
  // the pass's rows, [sequences, kv_heads, layout.read_width, head_dim]. With attention over latents there is
  // one store: `keys` are the shared rows [layout.tokens, 1, kv_rank + rotary_dim], `values` stay undefined.
  struct Read {
    at::Tensor keys, values;
  };
  Read append(std::int64_t layer, const Layout& layout, const at::Tensor& keys,
              const at::Tensor& values = {});

 private:
  std::int64_t slot(const KvRow& row, std::int64_t position) const;
  bool is_shared(std::int64_t page) const { return holders_[static_cast<std::size_t>(page)] > 1; }
  std::int64_t take_page();
  std::int64_t copy_page(std::int64_t page);

  std::int64_t pages_;
  std::int64_t page_tokens_;
  at::Device device_;
  // [layers] of [pages * page_tokens, kv_heads, head_dim]; undefined in layers that do not attend. With
  // attention over latents keys are [pages * page_tokens, 1, kv_rank + rotary_dim] and values undefined.
  std::vector<at::Tensor> keys_, values_;
  std::vector<std::int64_t> free_;     // pages, the next one to take last
  std::vector<std::int64_t> holders_;  // [pages] rows that hold each
};

// One layer's share of a cache.
struct LayerCache {
  KvCache* cache = nullptr;
  std::int64_t layer = 0;
};

}  // namespace moelab::model
