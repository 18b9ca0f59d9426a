#pragma once

#include <algorithm>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/io/safetensors.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lstmrec {

namespace detail {

/// Texts as two tensors: all of them one after the other, and where each begins.
inline void put_texts(TensorFile& file, const std::string& name, const std::vector<std::string>& texts) {
  std::string all;
  std::vector<std::int64_t> offsets = {0};
  for (const auto& text : texts) {
    all += text;
    offsets.push_back(static_cast<std::int64_t>(all.size()));
  }
  file.put(name + ".text", {all.size()}, std::span<const char>(all));
  file.put(name + ".offsets", {offsets.size()}, std::span<const std::int64_t>(offsets));
}

inline std::vector<std::string> get_texts(const TensorFile& file, const std::string& name) {
  const auto all = file.get<char>(name + ".text");
  const auto offsets = file.get<std::int64_t>(name + ".offsets");
  const bool valid = !offsets.empty() && offsets.front() == 0 && std::is_sorted(offsets.begin(), offsets.end()) &&
                     static_cast<std::uint64_t>(offsets.back()) == all.size();
  if (!valid)
    throw ModelFileError(file.path + ": " + name + ".offsets: expected to rise from 0 to " +
                         std::to_string(all.size()));
  std::vector<std::string> texts;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i)
    texts.emplace_back(all.begin() + offsets[i], all.begin() + offsets[i + 1]);
  return texts;
}

}  // namespace detail

/// Adds a vocabulary and what is known of its items as tensors `<name>.ids`, `<name>.titles…` and `<name>.genres…`.
/// Ids are one I64 tensor where all are integers; otherwise texts, with `i` before an integer and `s` before a string.
inline void put_vocabulary(TensorFile& file, const std::string& name, const Vocabulary& ids,
                           const std::vector<ItemInfo>& catalogue) {
  std::vector<std::int64_t> integers;
  std::vector<std::string> texts, titles, genres;
  for (std::uint32_t index = 0; index < ids.size(); ++index) {
    const RawId& id = ids.id(index);
    if (id.is_integer()) integers.push_back(id.integer());
    texts.push_back((id.is_integer() ? "i" : "s") + id.text());
  }
  if (integers.size() == ids.size())
    file.put(name + ".ids", {integers.size()}, std::span<const std::int64_t>(integers));
  else
    detail::put_texts(file, name + ".ids", texts);
  for (const ItemInfo& info : catalogue) {
    titles.push_back(info.title);
    genres.emplace_back();
    for (const auto& genre : info.genres) genres.back() += genre + '\0';
  }
  detail::put_texts(file, name + ".titles", titles);
  detail::put_texts(file, name + ".genres", genres);
}

/// Reads what put_vocabulary added. Throws ModelFileError where ids repeat or the parts don't fit each other.
inline void get_vocabulary(const TensorFile& file, const std::string& name, Vocabulary& ids,
                           std::vector<ItemInfo>& catalogue) {
  std::vector<RawId> all;
  if (file.tensors.contains(name + ".ids")) {
    for (const std::int64_t id : file.get<std::int64_t>(name + ".ids")) all.emplace_back(id);
  } else {
    for (const auto& text : detail::get_texts(file, name + ".ids")) {
      const auto id = RawId::parse(std::string_view(text).substr(std::min<std::size_t>(1, text.size())));
      if (text.starts_with('i') && id.is_integer())
        all.push_back(id);
      else if (text.starts_with('s'))
        all.emplace_back(text.substr(1));
      else
        throw ModelFileError(file.path + ": " + name + ".ids: expected i or s and an id, found \"" + text + "\"");
    }
  }
  Vocabulary read;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (read.add(all[i]) != i)
      throw ModelFileError(file.path + ": " + name + ".ids: " + all[i].text() + " stands twice");
  const auto titles = detail::get_texts(file, name + ".titles"), genres = detail::get_texts(file, name + ".genres");
  if (titles.size() != all.size() || genres.size() != all.size())
    throw ModelFileError(file.path + ": " + name + ": expected " + std::to_string(all.size()) +
                         " titles and genres, found " + std::to_string(titles.size()) + " and " +
                         std::to_string(genres.size()));
  ids = std::move(read);
  catalogue.assign(all.size(), {});
  for (std::size_t i = 0; i < all.size(); ++i) {
    catalogue[i].title = titles[i];
    for (std::size_t begin = 0, end; (end = genres[i].find('\0', begin)) != std::string::npos; begin = end + 1)
      catalogue[i].genres.push_back(genres[i].substr(begin, end - begin));
  }
}

}  // namespace lstmrec
