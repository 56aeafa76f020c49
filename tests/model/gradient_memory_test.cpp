// Gradients must not cost a copy of the weights: what a pass allocates at its peak, counted in the allocator.
#include <ATen/Context.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <memory>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;

namespace {

struct ByteCount {
  std::int64_t live = 0;
  std::int64_t peak = 0;
};

// Allocates as the usual allocator does and keeps count, for one thread. Tensors may outlive it.
class CountingAllocator : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* usual) : usual_(usual), count_(std::make_shared<ByteCount>()) {}

  c10::DataPtr allocate(std::size_t bytes) override {
    auto block =
        std::make_unique<Block>(Block{usual_->allocate(bytes), count_, static_cast<std::int64_t>(bytes)});
    count_->live += block->bytes;
    count_->peak = std::max(count_->peak, count_->live);
    void* const data = block->data.get();
    const c10::Device device = block->data.device();
    return {data, block.release(), &release, device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  ByteCount& count() { return *count_; }

 private:
  struct Block {
    c10::DataPtr data;
    std::shared_ptr<ByteCount> count;
    std::int64_t bytes;
  };
  static void release(void* context) {
    const std::unique_ptr<Block> block(static_cast<Block*>(context));
    block->count->live -= block->bytes;
  }

  c10::Allocator* usual_;
  std::shared_ptr<ByteCount> count_;
};

// Bytes at the peak of `act` beyond those before it.
template <typename Act>
std::int64_t peak_of(const Act& act) {
  static CountingAllocator counting(c10::GetCPUAllocator());
  c10::Allocator* const usual = c10::GetCPUAllocator();
  counting.count() = {};
  c10::SetCPUAllocator(&counting, 1);
  act();
  c10::SetCPUAllocator(usual, 1);
  return counting.count().peak;
}

constexpr std::int64_t kWidth = 512;

model::Mxfp4Matrix random_packed(std::int64_t rows, std::int64_t columns, const model::Mxfp4Tables& tables) {
  return {at::randint(0, 256, {rows, columns / 32, 16}, at::kByte),
          at::randint(119, 122, {rows, columns / 32}, at::kByte), tables};
}

model::MlpWeights wide_mlp(std::int64_t hidden) {
  return {at::randn({kWidth, hidden}), at::randn({kWidth, hidden}), at::randn({hidden, kWidth})};
}

// The tiny model with experts, shared ones too, so wide that they outweigh everything that a pass computes.
engine::Engine widened(const std::string& name) {
  at::manual_seed(1);
  const model::Model tiny = model::Model::load(data_dir() / "model" / name);
  model::ModelSpec spec = tiny.spec();
  model::ModelWeights weights = tiny.weights();
  spec.expert_width = kWidth;
  for (model::LayerWeights& layer : weights.layers) {
    auto* moe = std::get_if<model::MoeWeights>(&layer.mlp);
    if (moe == nullptr) continue;
    for (model::MlpWeights& expert : moe->experts) expert = wide_mlp(spec.hidden);
    if (moe->shared) moe->shared = wide_mlp(spec.hidden);
    for (model::ClampedMlpWeights& expert : moe->clamped_experts) {
      const model::Mxfp4Tables tables = std::get<model::Mxfp4Matrix>(expert.down).tables;
      expert = {random_packed(2 * kWidth, spec.hidden, tables), at::randn({2 * kWidth}),
                random_packed(spec.hidden, kWidth, tables), expert.down_bias};
    }
  }
  return engine::Engine(model::Model(std::move(spec), std::move(weights)), {});
}

}  // namespace

TEST_CASE("gradients of every family keep no copy of the expert weights, plain or packed", "[model]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  const engine::Engine engine = widened(name);
  const engine::Tokens prompt = {5, 17, 33, 64, 80, 99};
  // Bytes of one expert as the multiplication sees it, and of those that this pass uses in all layers.
  const std::int64_t expert = 3 * engine.spec().hidden * kWidth * 4;
  std::int64_t used = 0;
  const auto traces = engine.trace(std::vector<engine::Tokens>{prompt});
  for (const model::LayerCapture& seen : traces[0].layers) {
    const at::Tensor ids = seen.routing.ids.reshape(-1).contiguous();
    const auto* first = ids.const_data_ptr<std::int64_t>();
    used += expert * static_cast<std::int64_t>(std::set<std::int64_t>(first, first + ids.numel()).size());
  }
  const std::vector<engine::GradientItem> items = {{prompt, 1}};
  std::vector<engine::GradientResult> results;
  const std::int64_t peak = peak_of([&] { results = engine.gradients(items); });
  REQUIRE(results[0].gradient.abs().max().item<double>() > 0);
  CAPTURE(name, peak, expert, used);
  // Rows of experts times their inner width, in each layer with experts: five tensors; for gpt-oss, whose
  // gate and up are one product, ten.
  const auto layers = static_cast<std::int64_t>(traces[0].layers.size());
  const std::int64_t visits = engine.spec().router.top_k + (engine.spec().shared_width > 0 ? 1 : 0);
  const std::int64_t rows = static_cast<std::int64_t>(prompt.size()) * visits;
  const bool packed = engine.spec().packed_experts;
  const std::int64_t activations = layers * (packed ? 10 : 5) * rows * kWidth * 4;
  const std::int64_t scratch = packed ? expert : 0;  // one expert unpacked
  // Copies of the weights of even one layer would be seen.
  REQUIRE(used / layers > activations + scratch);
  CHECK(peak <= activations + scratch);
}
