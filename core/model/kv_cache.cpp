#include "core/model/kv_cache.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/model/memory.h"

namespace moelab::model {
namespace {

std::int64_t pages_for(std::int64_t tokens, std::int64_t page_tokens) {
  return (tokens + page_tokens - 1) / page_tokens;
}

// Marks what the new tokens of one row may see: its block of the mask is [width, read_width]. Padding sees
// the first token, so that its softmax is defined; its output is never read.
void fill_mask(const KvAppend& append, bool* block, const Layout& layout) {
  for (std::int64_t i = 0; i < layout.width; ++i)
    std::fill_n(block + i * layout.read_width, i < append.fresh ? append.row->tokens + i + 1 : 1, true);
}

// What one layer keeps of a token: keys [heads, key_dim] and values [heads, value_dim].
struct KeptSizes {
  std::int64_t heads, key_dim, value_dim;
};

KeptSizes kept_sizes(const AttentionSpec& spec) {
  if (spec.latent) return {1, spec.latent->kv_rank + spec.rotated(), 0};
  return {spec.kv_heads, spec.head_dim, spec.head_dim};
}

}  // namespace

KvCache::KvCache(const ModelSpec& spec, const KvCacheOptions& options, at::Device device,
                 at::ScalarType dtype)
    : pages_(options.pages), page_tokens_(options.page_tokens), device_(device) {
  if (pages_ <= 0 || page_tokens_ <= 0)
    throw ConfigError("the KV cache needs at least one page of one token; it has {} pages of {} tokens",
                      pages_, page_tokens_);
  const auto tensor_options = at::TensorOptions().dtype(dtype).device(device);
  try {
    const KeptSizes sizes = kept_sizes(spec.attention);
    // Zeros: what a mask hides is still multiplied by its weight of zero, and must be finite.
    const auto kept = [&](std::int64_t layer, std::int64_t dim) {
      return spec.is_delta_layer(layer) || dim == 0
                 ? at::Tensor()
                 : at::zeros({pages_ * page_tokens_, sizes.heads, dim}, tensor_options);
    };
    for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
      keys_.push_back(kept(layer, sizes.key_dim));
      values_.push_back(kept(layer, sizes.value_dim));
    }
    holders_.assign(static_cast<std::size_t>(pages_), 0);
    for (std::int64_t page = pages_; page-- > 0;) free_.push_back(page);
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    throw ConfigError("the KV cache of {} pages needs {} bytes, and memory is short: give it fewer pages",
                      pages_, pages_ * page_bytes(spec, page_tokens_, dtype));
  }
}

std::int64_t KvCache::page_bytes(const ModelSpec& spec, std::int64_t page_tokens, at::ScalarType dtype) {
  const KeptSizes sizes = kept_sizes(spec.attention);
  return spec.attention_layers() * page_tokens * sizes.heads * (sizes.key_dim + sizes.value_dim) *
         static_cast<std::int64_t>(c10::elementSize(dtype));
}

std::int64_t KvCache::missing_pages(const KvRow& row, std::int64_t fresh) const {
  const auto held = static_cast<std::int64_t>(row.pages.size());
  const std::int64_t last = pages_for(row.tokens + fresh, page_tokens_);
  std::int64_t missing = std::max<std::int64_t>(last - held, 0);
  for (std::int64_t i = row.tokens / page_tokens_; i < std::min(held, last); ++i)
    if (is_shared(row.pages[static_cast<std::size_t>(i)])) ++missing;
  return missing;
}

std::int64_t KvCache::take_page() {
  const std::int64_t page = free_.back();
  free_.pop_back();
  holders_[static_cast<std::size_t>(page)] = 1;
  return page;
}

std::int64_t KvCache::copy_page(std::int64_t page) {
  const std::int64_t copy = take_page();
  --holders_[static_cast<std::size_t>(page)];
  for (auto* tensors : {&keys_, &values_})
    for (at::Tensor& all : *tensors)
      if (all.defined())
        all.narrow(0, copy * page_tokens_, page_tokens_)
            .copy_(all.narrow(0, page * page_tokens_, page_tokens_));
  return copy;
}

bool KvCache::reserve(KvRow& row, std::int64_t fresh) {
  if (missing_pages(row, fresh) > free_pages()) return false;
  const std::int64_t last = pages_for(row.tokens + fresh, page_tokens_);
  for (std::int64_t i = row.tokens / page_tokens_; i < last; ++i) {
    const auto index = static_cast<std::size_t>(i);
    if (index == row.pages.size())
      row.pages.push_back(take_page());
    else if (is_shared(row.pages[index]))
      row.pages[index] = copy_page(row.pages[index]);
  }
  return true;
}

KvRow KvCache::share(const KvRow& row, std::int64_t tokens) {
  if (tokens < 0 || tokens > row.tokens)
    throw Error("a row that has read {} tokens cannot share {} of them", row.tokens, tokens);
  if (!row.states.empty() && tokens != 0 && tokens != row.tokens)
    throw Error(
        "a row with a recurrent state that has read {} tokens cannot share {} of them: its state stands "
        "behind the last one",
        row.tokens, tokens);
  KvRow shared;
  shared.tokens = tokens;
  if (tokens > 0) shared.length = row.length;
  if (tokens > 0) shared.states = copy_states(row.states);
  shared.pages.assign(row.pages.begin(), row.pages.begin() + pages_for(tokens, page_tokens_));
  for (const std::int64_t page : shared.pages) ++holders_[static_cast<std::size_t>(page)];
  return shared;
}

std::int64_t KvCache::own_pages(const KvRow& row) const {
  return std::count_if(row.pages.begin(), row.pages.end(),
                       [&](std::int64_t page) { return !is_shared(page); });
}

void KvCache::release(KvRow& row) {
  for (auto page = row.pages.rbegin(); page != row.pages.rend(); ++page)
    if (--holders_[static_cast<std::size_t>(*page)] == 0) free_.push_back(*page);
  row = {};
}

std::int64_t KvCache::slot(const KvRow& row, std::int64_t position) const {
  return row.pages[static_cast<std::size_t>(position / page_tokens_)] * page_tokens_ +
         position % page_tokens_;
}

Layout KvCache::layout(std::span<const KvAppend> rows) const {
  std::vector<std::int64_t> lengths;
  std::int64_t read_width = 0;
  for (std::size_t s = 0; s < rows.size(); ++s) {
    if (rows[s].fresh <= 0 || missing_pages(*rows[s].row, rows[s].fresh) > 0)
      throw Error("row {} of the batch has no room for {} tokens in the KV cache", s, rows[s].fresh);
    lengths.push_back(rows[s].fresh);
    read_width = std::max(read_width, rows[s].row->tokens + rows[s].fresh);
  }
  Layout layout = make_layout(lengths, at::kCPU);
  layout.read_width = read_width;
  for (std::size_t s = 0; s < rows.size(); ++s)
    layout.lengths[s] = std::max(rows[s].row->tokens + rows[s].fresh, rows[s].length);
  at::Tensor write = at::empty({layout.tokens}, at::kLong);
  at::Tensor read = at::empty({layout.sequences * read_width}, at::kLong);
  at::Tensor mask = at::zeros({layout.sequences, 1, layout.width, read_width}, at::kBool);
  auto* write_slot = write.mutable_data_ptr<std::int64_t>();
  auto* read_slot = read.mutable_data_ptr<std::int64_t>();
  auto* position = layout.positions.mutable_data_ptr<std::int64_t>();
  auto* block = mask.mutable_data_ptr<bool>();
  for (const KvAppend& append : rows) {
    const std::int64_t cached = append.row->tokens;
    for (std::int64_t i = 0; i < append.fresh; ++i) {
      *position++ = cached + i;
      *write_slot++ = slot(*append.row, cached + i);
    }
    // Behind its end a row reads its own first token: another row's values, were they NaN, would pass a mask.
    for (std::int64_t i = 0; i < read_width; ++i)
      *read_slot++ = slot(*append.row, i < cached + append.fresh ? i : 0);
    fill_mask(append, block, layout);
    block += layout.width * read_width;
  }
  for (at::Tensor* tensor : {&layout.positions, &layout.slots}) *tensor = tensor->to(device_);
  layout.mask = mask.to(device_);
  layout.write_slots = write.to(device_);
  layout.read_slots = read.to(device_);
  return layout;
}

KvCache::Read KvCache::append(std::int64_t layer, const Layout& layout, const at::Tensor& keys,
                              const at::Tensor& values) {
  const auto index = static_cast<std::size_t>(layer);
  const auto store_and_read = [&](at::Tensor& all, const at::Tensor& fresh) {
    all.index_copy_(0, layout.write_slots, fresh);
    return all.index_select(0, layout.read_slots)
        .view({layout.sequences, layout.read_width, fresh.size(1), fresh.size(2)})
        .transpose(1, 2);
  };
  Read read{store_and_read(keys_[index], keys), {}};
  if (values.defined()) read.values = store_and_read(values_[index], values);
  return read;
}

}  // namespace moelab::model
