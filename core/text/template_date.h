// The date that a template may ask for.
#pragma once

#include <string>
#include <string_view>

namespace moelab::text {

struct TemplateDate {
  int year = 1970, month = 1, day = 1;
  int hour = 0, minute = 0, second = 0;
};

// From "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM:SS". Throws ConfigError for anything else and for dates that do not
// exist.
TemplateDate parse_template_date(std::string_view text);

// As C's strftime in the locale "C". Throws jinja::Fault "Unsupported" for directives of time zones, weeks
// and locales.
std::string format_date(const TemplateDate& date, std::string_view format);

}  // namespace moelab::text
