#include "core/steering/self_test.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/steering/compile.h"
#include "core/steering/scalar_router.h"

namespace moelab::steering {
namespace {

constexpr std::int64_t kTokens = 16;
constexpr std::int64_t kExpertsALayer = 3;
constexpr double kTolerance = 1e-5;
constexpr double kHalfTolerance = 2e-2;  // bf16 and f16 logits, recomputed in double

// One pass over the test tokens; the captures' tensors are moved to the CPU in float32.
struct Pass {
  at::Tensor hidden;
  std::vector<model::LayerCapture> captures;
};

class SelfTest {
 public:
  explicit SelfTest(const model::Model& model) : model_(model), spec_(model.spec()) {
    const std::int64_t step = std::max<std::int64_t>(1, spec_.vocab_size / kTokens);
    tokens_ = (at::arange(kTokens, at::kLong) * step).remainder(spec_.vocab_size).to(model.device());
    const std::int64_t length = std::min(kTokens, spec_.max_positions);
    tokens_ = tokens_.narrow(0, 0, length);
    const std::int64_t lengths[] = {length};
    layout_ = model::make_layout(std::span<const std::int64_t>(lengths), model.device());
    inputs_.push_back(model_.embed(tokens_));
    for (std::int64_t layer = 0; layer < spec_.layers; ++layer) {
      Pass pass = run(layer, layer + 1, nullptr);
      inputs_.push_back(std::move(pass.hidden));
      std::move(pass.captures.begin(), pass.captures.end(), std::back_inserter(plain_));
    }
  }

  SelfTestReport run_all() {
    check_zero_plan();
    SelfTestReport report;
    report.tokens = layout_.tokens;
    for (const model::LayerCapture& seen : plain_) {
      ++report.layers;
      report.experts = std::min(kExpertsALayer, spec_.router.experts);
      // Spread over the experts, so that neighbours in a fused tensor are not the only ones seen.
      for (std::int64_t i = 0; i < report.experts; ++i)
        check_expert(seen, i * (spec_.router.experts - 1) / std::max<std::int64_t>(1, report.experts - 1));
    }
    report.rows = rows_;
    report.largest_difference = largest_difference_;
    return report;
  }

 private:
  // Layers first .. last-1 from what the plain model gives to the first.
  Pass run(std::int64_t first, std::int64_t last, const std::vector<model::LayerSteering>* steering) const {
    Pass pass;
    model::PassOptions options;
    options.steering = steering;
    options.captures = &pass.captures;
    if (steering != nullptr) options.plan_of_token = at::ones({layout_.tokens}, tokens_.options());
    pass.hidden =
        model_.run_layers(inputs_[static_cast<std::size_t>(first)], layout_, {first, last}, options);
    for (model::LayerCapture& seen : pass.captures)
      seen.routing = {seen.routing.logits.to(at::kFloat).cpu(), seen.routing.ids.cpu(),
                      seen.routing.weights.to(at::kFloat).cpu()};
    return pass;
  }

  // The routing of `layer` when its steering is `tables`. Lower layers would be untouched, so its input is
  // the plain one and the layer runs alone: a deep model's test then takes as many passes as a shallow one's.
  model::Routing routing_under(std::int64_t layer, const model::LayerSteering& tables) const {
    std::vector<model::LayerSteering> steering(static_cast<std::size_t>(spec_.layers));
    steering[static_cast<std::size_t>(layer)] = tables;
    const Pass pass = run(layer, layer + 1, &steering);
    if (pass.captures.empty()) throw Error("self-test: layer {} gave no capture", layer);
    return pass.captures.front().routing;
  }

  model::Routing routing_under(std::int64_t layer, const PlanEntry& entry) const {
    const Plan plan{Mode::logit_shift, {entry}};
    return routing_under(layer,
                         compile({&plan, 1}, spec_, model_.device()).layers[static_cast<std::size_t>(layer)]);
  }

  static double selection_rate(const model::Routing& routing, std::int64_t expert) {
    const auto hits = (routing.ids == expert).sum().item<std::int64_t>();
    return static_cast<double>(hits) / static_cast<double>(routing.ids.size(0));
  }

  void require_rate(const model::Routing& routing, std::int64_t layer, std::int64_t expert, double expected,
                    const char* what) const {
    const double rate = selection_rate(routing, expert);
    if (rate != expected)
      throw Error("self-test failed: {} of expert {} in layer {} gave selection rate {}, expected {}", what,
                  expert, layer, rate, expected);
  }

  void check_expert(const model::LayerCapture& plain, std::int64_t expert) {
    const std::int64_t layer = plain.layer;
    require_rate(routing_under(layer, PlanEntry{layer, expert, Operation::force, 1}), layer, expert, 1,
                 "force");
    // A layer that routes to all of its experts has none to spare.
    if (spec_.router.experts > spec_.router.top_k)
      require_rate(routing_under(layer, PlanEntry{layer, expert, Operation::forbid, 1}), layer, expert, 0,
                   "forbid");
    const at::Tensor logits = plain.routing.logits;
    const double reach = (logits.amax(-1) - logits.amin(-1)).max().item<double>() + 1.0;
    check_shift(plain, expert, reach);
    check_shift(plain, expert, -reach);
  }

  // Whether a logit above all others of its row is always selected and one below them never: not where a bias
  // is added to a bounded score, nor where a group counts by more than its best expert.
  bool logits_decide(bool is_raised) const {
    const model::RouterSpec& router = spec_.router;
    const bool by_group = router.groups_kept < router.groups;
    if (router.has_selection_bias || router.score == &model::sigmoid_score) return false;
    if (by_group && router.group_score != model::GroupScore::largest) return false;
    return is_raised || router.groups_kept * (router.experts / router.groups) > router.top_k;
  }

  void check_shift(const model::LayerCapture& plain, std::int64_t expert, double shift) {
    const PlanEntry entry{plain.layer, expert, Operation::scale, std::exp(shift)};
    const model::Routing routing = routing_under(plain.layer, entry);
    if (logits_decide(shift > 0))
      require_rate(routing, plain.layer, expert, shift > 0 ? 1 : 0,
                   shift > 0 ? "a raised logit" : "a lowered logit");
    const auto logits = plain.routing.logits.accessor<float, 2>();
    ScalarRow row{{}, selection_bias(plain.layer)};
    for (std::int64_t token = 0; token < logits.size(0); ++token) {
      row.logits.clear();
      for (std::int64_t e = 0; e < spec_.router.experts; ++e)
        row.logits.push_back(static_cast<double>(logits[token][e]) + (e == expert ? shift : 0.0));
      compare_row(row, routing, token, plain.layer);
    }
  }

  std::vector<double> selection_bias(std::int64_t layer) const {
    const auto& mlp = model_.weights().layers[static_cast<std::size_t>(layer)].mlp;
    const at::Tensor& bias = std::get<model::MoeWeights>(mlp).router.selection_bias;
    if (!bias.defined()) return {};
    const at::Tensor wide = bias.to(at::kCPU, at::kDouble).contiguous();
    const double* values = wide.const_data_ptr<double>();
    return {values, values + wide.numel()};
  }

  // Of logits that were rounded to 16 bits less can be asked.
  double tolerance() const {
    const bool is_wide = model_.dtype() == at::kFloat || spec_.router.in_float;
    return (is_wide ? kTolerance : kHalfTolerance) * std::max(1.0, spec_.router.weight_multiplier);
  }

  // One token's routing in double precision against what the router stage gave.
  void compare_row(const ScalarRow& row, const model::Routing& routing, std::int64_t token,
                   std::int64_t layer) {
    const ScalarRouting expected = route_scalar(spec_.router, row, tolerance());
    if (expected.is_ambiguous) return;
    ++rows_;
    for (std::size_t k = 0; k < expected.weights.size(); ++k) {
      const auto slot = static_cast<std::int64_t>(k);
      const auto id = static_cast<std::size_t>(routing.ids[token][slot].item<std::int64_t>());
      const double difference = std::abs(routing.weights[token][slot].item<double>() - expected.weights[k]);
      largest_difference_ = std::max(largest_difference_, difference);
      // Near-ties may come out in either order; a really different expert has a different choice value.
      const double apart = expected.choice[id] - expected.choice[expected.order[k]];
      if (difference > tolerance() || std::abs(apart) > tolerance() * 10)
        throw Error(
            "self-test failed: layer {}, token {}: the router stage gave expert {} with weight {}, the "
            "independent recomputation expert {} with weight {}",
            layer, token, id, routing.weights[token][slot].item<double>(), expected.order[k],
            expected.weights[k]);
    }
  }

  void check_zero_plan() const {
    Plan zeros{Mode::logit_shift, {}};
    for (const model::LayerCapture& seen : plain_)
      for (std::int64_t e = 0; e < spec_.router.experts; ++e)
        zeros.entries.push_back({seen.layer, e, Operation::scale, 1});
    const CompiledPlans compiled = compile({&zeros, 1}, spec_, model_.device());
    if (!at::equal(run(0, spec_.layers, &compiled.layers).hidden, inputs_.back()))
      throw Error("self-test failed: a plan of zeros changed the hidden states");
  }

  const model::Model& model_;
  const model::ModelSpec& spec_;
  at::Tensor tokens_;
  model::Layout layout_;
  std::vector<at::Tensor> inputs_;          // [layers + 1] hidden states before each layer and after the last
  std::vector<model::LayerCapture> plain_;  // of the layers with experts
  std::int64_t rows_ = 0;
  double largest_difference_ = 0;
};

}  // namespace

SelfTestReport self_test(const model::Model& model) {
  const at::NoGradGuard no_grad;
  return SelfTest(model).run_all();
}

}  // namespace moelab::steering
