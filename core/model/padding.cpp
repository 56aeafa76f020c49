#include "core/model/padding.h"

#include <ATen/ops/zeros.h>

namespace moelab::model {

at::Tensor pad(const at::Tensor& x, const Layout& layout) {
  const std::int64_t copies = x.size(0) / layout.tokens, heads = x.size(1), dim = x.size(2);
  at::Tensor grid = x.view({copies, layout.tokens, heads, dim});
  if (!layout.is_dense)
    grid = at::zeros({copies, layout.sequences * layout.width, heads, dim}, x.options())
               .index_copy(1, layout.slots, grid);
  return grid.view({copies, layout.sequences, layout.width, heads, dim})
      .permute({1, 0, 3, 2, 4})
      .reshape({layout.sequences, copies * heads, layout.width, dim});
}

at::Tensor unpad(const at::Tensor& y, std::int64_t copies, const Layout& layout) {
  const std::int64_t heads = y.size(1) / copies, dim = y.size(3);
  at::Tensor grid = y.view({layout.sequences, copies, heads, layout.width, dim})
                        .permute({1, 0, 3, 2, 4})
                        .reshape({copies, layout.sequences * layout.width, heads * dim});
  if (!layout.is_dense) grid = grid.index_select(1, layout.slots);
  return grid.reshape({copies * layout.tokens, heads * dim});
}

}  // namespace moelab::model
