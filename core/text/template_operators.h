// Python's operators on template values. Mistakes are Faults with Python's exception class.
#pragma once

#include <optional>

#include "core/text/template_ast.h"
#include "core/text/template_value.h"

namespace moelab::text::jinja {

bool equal(const Value& left, const Value& right, Budget& budget);
bool less(const Value& left, const Value& right, Budget& budget);
bool compare(Comparison op, const Value& left, const Value& right, Budget& budget);
// `item in container`; walks through a generator and uses it up.
bool contains(const Value& container, const Value& item, Budget& budget);

Value arithmetic(Arithmetic op, const Value& left, const Value& right, Budget& budget);
Value signed_value(bool negative, const Value& operand);

// "value[start:stop:step]"; a part that is left out is None.
Value slice(const Value& value, const Value& start, const Value& stop, const Value& step, Budget& budget);

// "text % values": the conversions %s, %r, %d, %i, %% and %.Nf. Throws a Fault "Unsupported" for others.
Value format_percent(const Value& text, const Value& values, Budget& budget);

// The item or attribute that "object.name" and "object[index]" give; undefined where there is none. They
// differ in what comes first. Throws a Fault for undefined objects and for attributes that Python has and
// moelab has not.
Value get_attribute(const Value& object, const std::string& name, Budget& budget);
Value get_item(const Value& object, const Value& index, Budget& budget);

std::string escape_html(const std::string& text);

}  // namespace moelab::text::jinja
