#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

/// Texts as two tensors: all of them one after the other, and where each begins.
struct Texts {
  std::string all;
  std::vector<std::size_t> offsets = {0};

  std::size_t size() const { return offsets.size() - 1; }
  std::string_view operator[](std::size_t k) const {
    return std::string_view(all.data() + offsets[k], all.data() + offsets[k + 1]);
  }
  /// Ends the text that was appended to `all`.
  void end() { offsets.push_back(all.size()); }
};

inline void put_texts(TensorWriter& file, const std::string& name, Texts texts) {
  file.put_owned(name + ".text", std::move(texts.all));
  file.put_owned(name + ".offsets", std::vector<std::int64_t>(texts.offsets.begin(), texts.offsets.end()));
}

inline Texts get_texts(TensorReader& file, const std::string& name) {
  Texts texts;
  const TensorInfo& tensor = file.tensor(name + ".text");
  texts.all.resize(tensor.end - tensor.begin);
  file.get_into(name + ".text", std::span<char>(texts.all));
  texts.offsets = file.get_offsets(name + ".offsets", texts.all.size());
  return texts;
}

}  // namespace detail

/// Adds a vocabulary and what is known of its items as tensors `<name>.ids`, `<name>.titles…` and `<name>.genres…`.
/// Ids are one I64 tensor where all are integers; otherwise texts, with `i` before an integer and `s` before another
/// text. Throws std::invalid_argument unless there is a catalogue entry an id, and where a genre holds a NUL.
inline void put_vocabulary(TensorWriter& file, const std::string& name, const Vocabulary& ids,
                           const std::vector<ItemInfo>& catalogue) {
  if (catalogue.size() != ids.size())
    detail::fail<std::invalid_argument>(
        {name, ": expected a catalogue entry for each of ", ids.size(), " ids, found ", catalogue.size()});
  std::vector<std::int64_t> integers;
  detail::Texts texts, titles, genres;
  for (std::uint32_t index = 0; index < ids.size(); ++index) {
    const RawId& id = ids.id(index);
    if (id.is_integer()) integers.push_back(id.integer());
    texts.all += (id.is_integer() ? 'i' : 's') + id.text();
    texts.end();
  }
  if (integers.size() == ids.size())
    file.put_owned(name + ".ids", std::move(integers));
  else
    detail::put_texts(file, name + ".ids", std::move(texts));
  for (const ItemInfo& info : catalogue) {
    titles.all += info.title;
    titles.end();
    for (const auto& genre : info.genres) {
      if (genre.find('\0') != genre.npos) detail::fail<std::invalid_argument>({name, ": a genre holds a NUL"});
      genres.all += genre + '\0';
    }
    genres.end();
  }
  detail::put_texts(file, name + ".titles", std::move(titles));
  detail::put_texts(file, name + ".genres", std::move(genres));
}

/// Reads what put_vocabulary added. Throws ModelFileError where ids repeat or the parts don't fit each other.
inline void get_vocabulary(TensorReader& file, const std::string& name, Vocabulary& ids,
                           std::vector<ItemInfo>& catalogue) {
  Vocabulary read;
  const auto add = [&](const RawId& id) {
    const std::size_t known = read.size();
    if (read.add(id) != known)
      detail::fail<ModelFileError>({file.path(), ": ", name, ".ids: ", id.text(), " stands twice"});
  };
  if (file.contains(name + ".ids")) {
    for (const std::int64_t id : file.get<std::int64_t>(name + ".ids")) add(id);
  } else {
    const detail::Texts texts = detail::get_texts(file, name + ".ids");
    for (std::size_t k = 0; k < texts.size(); ++k) {
      const std::string_view text = texts[k], rest = text.substr(text.empty() ? 0 : 1);
      const bool is_integer = text.starts_with('i');
      const RawId id(rest);
      if (is_integer ? !id.is_integer() : !text.starts_with('s'))
        detail::fail<ModelFileError>(
            {file.path(), ": ", name, ".ids: expected i or s and an id, found \"", text, "\""});
      add(id);
    }
  }
  const detail::Texts titles = detail::get_texts(file, name + ".titles"),
                      genres = detail::get_texts(file, name + ".genres");
  if (titles.size() != read.size() || genres.size() != read.size())
    detail::fail<ModelFileError>({file.path(), ": ", name, ": expected ", read.size(), " titles and genres, found ",
                                  titles.size(), " and ", genres.size()});
  ids = std::move(read);
  catalogue = std::vector<ItemInfo>(ids.size());
  for (std::size_t k = 0; k < ids.size(); ++k) {
    catalogue[k].title = titles[k];
    std::string_view rest = genres[k];
    for (std::size_t end; (end = rest.find('\0')) != std::string_view::npos; rest.remove_prefix(end + 1))
      catalogue[k].genres.emplace_back(rest.substr(0, end));
  }
}

}  // namespace lstmrec
