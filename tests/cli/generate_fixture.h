// The bundled model `mixed` for tests of `moelab generate`: as it is, and with a chat template of the tests'
// own.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdio>

#include "core/base/json.h"
#include "tests/cli/run_binary.h"

namespace moelab::testing {

inline std::filesystem::path mixed_model() { return source_dir() / "models" / "demo" / "mixed"; }

// The words of a call on a model.
inline std::vector<std::string> generate_words(const std::filesystem::path& model,
                                               const std::vector<std::string>& more) {
  std::vector<std::string> words = {"generate", model.string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline ProgramResult generate(const std::vector<std::string>& more) {
  return run_moelab(generate_words(mixed_model(), more));
}

// A copy of the model's directory whose files a test may change; the weights are linked.
class ModelCopy {
 public:
  ModelCopy() {
    for (const char* name :
         {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"})
      std::filesystem::copy_file(mixed_model() / name, dir_ / name);
    std::filesystem::create_symlink(mixed_model() / "model.safetensors", dir_ / "model.safetensors");
  }

  void write(const std::string& name, const std::string& text) { write_atomic(dir_ / name, text); }

  const std::filesystem::path& path() const { return dir_.path(); }

  ProgramResult generate(const std::vector<std::string>& more) const {
    return run_moelab(generate_words(dir_.path(), more));
  }

 private:
  ScratchDir dir_;
};

inline std::string test_chat_template() { return read_text(data_dir() / "cli" / "chat_template.jinja"); }

inline Json generate_cases() { return read_json(data_dir() / "cli" / "generate_cases.json"); }

// What the program writes to a terminal (a pseudo-terminal; it makes a line feed carriage return and line
// feed).
inline std::string run_on_terminal(const std::vector<std::string>& arguments,
                                   const boost::process::environment& environment,
                                   unsigned short columns = 80) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) throw Error("no pseudo-terminal");
  const winsize size{24, columns, 0, 0};
  ::ioctl(master, TIOCSWINSZ, &size);
  std::FILE* const slave = std::fopen(::ptsname(master), "w");
  boost::process::child child(binary(), boost::process::args(arguments), environment,
                              boost::process::std_in<boost::process::null, boost::process::std_out> slave,
                              boost::process::std_err > boost::process::null);
  std::fclose(slave);
  std::string text;
  char bytes[4096];
  // Reading fails with EIO when the program has closed its end.
  for (ssize_t count = 0; (count = ::read(master, bytes, sizeof bytes)) > 0;)
    text.append(bytes, static_cast<std::size_t>(count));
  child.wait();
  ::close(master);
  return text;
}

}  // namespace moelab::testing
