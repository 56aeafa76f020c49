#include "core/model/recurrent_order.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>

namespace moelab::model {
namespace {

using Indices = std::vector<std::int64_t>;

// Grids and look-back tables while they are filled.
class OrderBuilder {
 public:
  OrderBuilder(const Layout& layout, std::int64_t kernel)
      : reach_(kernel - 1),
        carried_(static_cast<std::int64_t>(layout.shapes.size()) * reach_),
        earlier_(static_cast<std::size_t>(reach_)) {
    for (const SequenceShape& shape : layout.shapes) add(shape);
  }

  RecurrentOrder finish(at::Device device) const {
    const auto tensor = [&](const Indices& values) { return at::tensor(values, at::kLong).to(device); };
    RecurrentOrder order{grid(trunks_, device), grid(branches_, device), {}, {}, tensor(tails_)};
    Indices places(static_cast<std::size_t>(tokens_));
    std::int64_t place = 0;
    for (const Runs* runs : {&trunks_, &branches_})
      for (const std::int64_t row : runs->rows) places[static_cast<std::size_t>(row)] = place++;
    order.places = tensor(places);
    if (order.branches.runs > 0) {
      order.branches.parents = tensor(parents_);
      order.trunks.is_identity = false;
    }
    for (const Indices& rows : earlier_) order.earlier.push_back(tensor(rows));
    return order;
  }

 private:
  struct Runs {
    Indices rows, lengths;
  };

  void add(const SequenceShape& shape) {
    const std::int64_t start = tokens_, sequence = static_cast<std::int64_t>(trunks_.lengths.size());
    // One branch goes on where the trunk ends: they are one run.
    const bool forks = shape.branches.size() > 1;
    const std::int64_t trunk =
        forks ? shape.trunk : std::accumulate(shape.branches.begin(), shape.branches.end(), shape.trunk);
    Indices path(static_cast<std::size_t>(trunk));
    std::iota(path.begin(), path.end(), start);
    add_run(trunks_, path, 0, sequence);
    for (std::int64_t i = trunk - reach_; i < trunk; ++i) tails_.push_back(source(path, i, sequence));
    for (std::size_t b = 0; forks && b < shape.branches.size(); ++b) {
      path.resize(static_cast<std::size_t>(trunk));
      for (std::int64_t i = 0; i < shape.branches[b]; ++i) path.push_back(tokens_ + i);
      add_run(branches_, path, trunk, sequence);
      parents_.push_back(sequence);
    }
  }

  // The tokens of a path from position `from` on, as a run.
  void add_run(Runs& runs, const Indices& path, std::int64_t from, std::int64_t sequence) {
    const auto length = static_cast<std::int64_t>(path.size()) - from;
    runs.lengths.push_back(length);
    runs.rows.insert(runs.rows.end(), path.begin() + from, path.end());
    for (std::int64_t i = from; i < from + length; ++i)
      for (std::int64_t back = reach_; back > 0; --back)
        earlier_[static_cast<std::size_t>(reach_ - back)].push_back(source(path, i - back, sequence));
    tokens_ += length;
  }

  // Where the convolution finds a position of a path; negative ones are carried from earlier passes.
  std::int64_t source(const Indices& path, std::int64_t position, std::int64_t sequence) const {
    if (position < 0) return sequence * reach_ + reach_ + position;
    return carried_ + path[static_cast<std::size_t>(position)];
  }

  static RunGrid grid(const Runs& runs, at::Device device) {
    RunGrid grid;
    grid.runs = static_cast<std::int64_t>(runs.lengths.size());
    for (const std::int64_t length : runs.lengths) grid.width = std::max(grid.width, length);
    Indices slots;
    for (std::int64_t run = 0; run < grid.runs; ++run)
      for (std::int64_t i = 0; i < runs.lengths[static_cast<std::size_t>(run)]; ++i)
        slots.push_back(run * grid.width + i);
    Indices straight(slots.size());
    std::iota(straight.begin(), straight.end(), 0);
    grid.is_identity = slots == straight && runs.rows == straight &&
                       static_cast<std::int64_t>(slots.size()) == grid.runs * grid.width;
    grid.rows = at::tensor(runs.rows, at::kLong).to(device);
    grid.slots = at::tensor(slots, at::kLong).to(device);
    return grid;
  }

  std::int64_t reach_;    // tokens that the convolution looks back
  std::int64_t carried_;  // rows that stand before the packed ones
  std::int64_t tokens_ = 0;
  Runs trunks_, branches_;
  Indices parents_, tails_;
  std::vector<Indices> earlier_;
};

}  // namespace

RecurrentOrder make_recurrent_order(const Layout& layout, std::int64_t kernel) {
  return OrderBuilder(layout, kernel).finish(layout.positions.device());
}

}  // namespace moelab::model
