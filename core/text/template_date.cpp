#include "core/text/template_date.h"

#include <array>
#include <charconv>
#include <chrono>

#include "core/base/error.h"
#include "core/text/template_error.h"

namespace moelab::text {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

std::chrono::year_month_day calendar(const TemplateDate& date) {
  return {std::chrono::year(date.year), std::chrono::month(static_cast<unsigned>(date.month)),
          std::chrono::day(static_cast<unsigned>(date.day))};
}

int number_at(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  const char* begin = text.data() + at;
  const auto read = std::from_chars(begin, begin + digits, value);
  if (read.ec != std::errc() || read.ptr != begin + digits || *begin == '-')
    throw ConfigError("the date '{}' is not of the form YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS", text);
  return value;
}

// One directive; `plain` leaves out leading zeros.
std::string directive(const TemplateDate& date, char letter, bool plain) {
  const auto days = std::chrono::sys_days(calendar(date));
  const auto weekday = std::chrono::weekday(days).c_encoding();
  const auto day_of_year = (days - std::chrono::sys_days(std::chrono::year(date.year) / 1 / 1)).count() + 1;
  const auto padded = [&](int value, int width) {
    return plain ? fmt::format("{}", value) : fmt::format("{:0{}}", value, width);
  };
  const auto month = kMonths[static_cast<std::size_t>(date.month - 1)];
  const int hour12 = date.hour % 12 == 0 ? 12 : date.hour % 12;
  switch (letter) {
    case 'Y':
      return fmt::format("{}", date.year);
    case 'y':
      return padded(date.year % 100, 2);
    case 'm':
      return padded(date.month, 2);
    case 'd':
      return padded(date.day, 2);
    case 'e':
      return plain ? fmt::format("{}", date.day) : fmt::format("{:2}", date.day);
    case 'H':
      return padded(date.hour, 2);
    case 'I':
      return padded(hour12, 2);
    case 'M':
      return padded(date.minute, 2);
    case 'S':
      return padded(date.second, 2);
    case 'j':
      return padded(static_cast<int>(day_of_year), 3);
    case 'p':
      return date.hour < 12 ? "AM" : "PM";
    case 'B':
      return std::string(month);
    case 'b':
    case 'h':
      return std::string(month.substr(0, 3));
    case 'A':
      return std::string(kDays[weekday]);
    case 'a':
      return std::string(kDays[weekday].substr(0, 3));
    case 'F':
      return format_date(date, "%Y-%m-%d");
    case 'T':
      return format_date(date, "%H:%M:%S");
    case 'D':
      return format_date(date, "%m/%d/%y");
    case 'n':
      return "\n";
    case 't':
      return "\t";
    case '%':
      return "%";
    default:
      jinja::unsupported("the directive '%{}' in strftime_now", letter);
  }
}

}  // namespace

TemplateDate parse_template_date(std::string_view text) {
  const bool has_time = text.size() == 19;
  const bool shaped =
      (text.size() == 10 || has_time) && text[4] == '-' && text[7] == '-' &&
      (!has_time || ((text[10] == 'T' || text[10] == ' ') && text[13] == ':' && text[16] == ':'));
  if (!shaped) throw ConfigError("the date '{}' is not of the form YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS", text);
  TemplateDate date{number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2)};
  if (has_time) {
    date.hour = number_at(text, 11, 2);
    date.minute = number_at(text, 14, 2);
    date.second = number_at(text, 17, 2);
  }
  if (!calendar(date).ok() || date.year < 1000 || date.hour > 23 || date.minute > 59 || date.second > 59)
    throw ConfigError("the date '{}' does not exist", text);
  return date;
}

std::string format_date(const TemplateDate& date, std::string_view format) {
  std::string out;
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || at + 1 == format.size()) {
      out += format[at];
      continue;
    }
    const bool plain = format[at + 1] == '-';
    at += plain ? 2 : 1;
    if (at >= format.size()) jinja::unsupported("a format for strftime_now that ends in '%-'");
    out += directive(date, format[at], plain);
  }
  return out;
}

}  // namespace moelab::text
