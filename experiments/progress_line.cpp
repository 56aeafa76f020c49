#include "experiments/progress_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/terminal.h"
#include "experiments/text_table.h"

namespace moelab::experiments {

namespace {

constexpr std::size_t kBarWidth = 20;
constexpr std::chrono::milliseconds kTerminalPause{100};
constexpr std::chrono::seconds kPlainPause{10};

std::string bar(const ProgressFigures& figures) {
  // Samples move more evenly than cells, whose total also grows.
  const double share = figures.samples_total > 0 ? static_cast<double>(figures.samples_done) /
                                                       static_cast<double>(figures.samples_total)
                                                 : 0.0;
  const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(kBarWidth));
  std::string marks(kBarWidth, '.');
  std::fill_n(marks.begin(), filled, '#');
  return fmt::format("[{}] ", marks);
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string progress_text(const ProgressFigures& figures, bool with_bar) {
  std::string text = with_bar ? bar(figures) : "";
  if (figures.cells_total > 0) text += fmt::format("{}/{} cells, ", figures.cells_done, figures.cells_total);
  text += fmt::format("{}/{} {}", figures.samples_done, figures.samples_total, figures.unit);
  if (figures.tokens_per_second > 0) text += fmt::format(", {:.0f} tokens/s", figures.tokens_per_second);
  if (figures.seconds_left > 0) text += fmt::format(", {} left", duration_text(figures.seconds_left));
  return figures.what.empty() ? text : text + ", " + figures.what;
}

ProgressLine::ProgressLine(std::FILE* stream) : stream_(stream), is_terminal_(is_terminal(stream)) {}

ProgressLine::~ProgressLine() { finish(); }

void ProgressLine::show(const ProgressFigures& figures) {
  last_ = progress_text(figures, is_terminal_);
  is_open_ = true;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + (is_terminal_ ? std::chrono::steady_clock::duration(kTerminalPause) : kPlainPause);
  if (is_terminal_) {
    // Carriage return and "erase to the end of the line" (ECMA-48 EL).
    fmt::print(stream_, "\r{}\x1b[K", shortened(last_, terminal_width(stream_) - 1));
  } else {
    fmt::print(stream_, "{}\n", last_);
    is_open_ = false;
  }
  std::fflush(stream_);
}

void ProgressLine::finish() {
  if (!is_open_) return;
  if (is_terminal_) {
    fmt::print(stream_, "\r{}\x1b[K\n", shortened(last_, terminal_width(stream_) - 1));
  } else {
    fmt::print(stream_, "{}\n", last_);
  }
  is_open_ = false;
}

}  // namespace moelab::experiments
