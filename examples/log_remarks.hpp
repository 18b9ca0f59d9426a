#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/io/fixed.hpp>
#include <lstmrec/lstmrec.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "console.hpp"

namespace example {

/// Returns a sentence for each oddity of a log that can be read all the same: columns of one value, one user with most
/// of the events, and users whose events are not in the order of their times.
inline std::vector<std::string> log_remarks(const lstmrec::Interactions& log) {
  std::vector<std::string> remarks;
  const auto say = [&](const std::string& text) { remarks.push_back(log.source + ": " + text); };
  const std::size_t events = log.events.size();
  if (events < 10) return remarks;
  if (log.users.size() == 1)
    say("all " + grouped(events) + " events are of one user, " + log.users.id(0).text() +
        "; is that the column of the users?");
  if (log.items.size() == 1)
    say("all " + grouped(events) + " events are of one item, " + log.items.id(0).text() +
        "; is that the column of the items?");
  const auto& times = log.events.times;
  if (log.has_times && std::all_of(times.begin(), times.end(), [&](auto time) { return time == times.front(); }))
    say("all events have the same time, so they are in the order of the log");
  const auto& ratings = log.events.ratings;
  if (log.has_ratings && std::all_of(ratings.begin(), ratings.end(), [&](float r) { return r == ratings.front(); }))
    say("all ratings are " + fixed(static_cast<double>(ratings.front()), 1));
  std::vector<std::uint32_t> counts(log.users.size());
  for (const std::uint32_t user : log.events.users) ++counts[user];
  const auto most = std::max_element(counts.begin(), counts.end());
  if (log.users.size() > 1 && 2 * std::size_t{*most} > events)
    say(fixed(100 * static_cast<double>(*most) / static_cast<double>(events), 0) + " % of the events are of the user " +
        log.users.id(static_cast<std::uint32_t>(most - counts.begin())).text());
  if (!log.has_times) return remarks;
  std::vector<std::int64_t> last(log.users.size(), std::numeric_limits<std::int64_t>::min());
  std::vector<bool> goes_back(log.users.size());
  for (std::size_t row = 0; row < events; ++row) {
    const std::uint32_t user = log.events.users[row];
    if (times[row] < last[user]) goes_back[user] = true;
    last[user] = times[row];
  }
  if (const auto users = std::count(goes_back.begin(), goes_back.end(), true); users > 0)
    say("the times of " + grouped(static_cast<std::size_t>(users)) + " of " + grouped(log.users.size()) +
        " users go backwards from line to line; their events are sorted by time");
  return remarks;
}

/// How an id would be written without blanks at its ends, zeros before it, `.0` behind it and capitals.
inline std::string plain_id(std::string_view id) {
  while (!id.empty() && id.front() == ' ') id.remove_prefix(1);
  while (!id.empty() && id.back() == ' ') id.remove_suffix(1);
  if (id.ends_with(".0")) id.remove_suffix(2);
  while (id.size() > 1 && id.front() == '0') id.remove_prefix(1);
  std::string plain(id);
  for (char& c : plain)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return plain;
}

/// A sentence where items of `others` are unknown that would be known if they were written as those of `known` are: as
/// `007` for 7, `7.0`, or in another encoding. Else empty.
inline std::string spelling_remark(const lstmrec::Vocabulary& known, const lstmrec::Vocabulary& others,
                                   const std::string& source) {
  const auto is_ascii = [](std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 128; });
  };
  std::map<std::string, std::string> by_plain, by_utf8;  // the ids that are known
  for (std::uint32_t item = 0; item < known.size(); ++item) {
    const std::string text = known.id(item).text();
    by_plain.emplace(plain_id(text), text);
    if (!is_ascii(text)) by_utf8.emplace(lstmrec::detail::to_utf8(text), text);
  }
  std::size_t unknown = 0, spelled = 0, encoded = 0;
  std::string example, example_known;
  for (std::uint32_t item = 0; item < others.size(); ++item) {
    if (known.find(others.id(item))) continue;
    ++unknown;
    const std::string text = others.id(item).text();
    if (!is_ascii(text) && by_utf8.contains(lstmrec::detail::to_utf8(text))) {
      ++encoded;
    } else if (const auto found = by_plain.find(plain_id(text)); found != by_plain.end() && spelled++ == 0) {
      example = text;
      example_known = found->second;
    }
  }
  if (encoded > 0)
    return source + ": " + grouped(encoded) +
           " of its items are unknown only because one of the two logs is written in UTF-8 and the other is not";
  if (2 * spelled > unknown)
    return source + ": " + grouped(spelled) + " of its " + grouped(unknown) +
           " unknown items are known in another spelling: " + lstmrec::detail::excerpt(example) + " is perhaps " +
           lstmrec::detail::excerpt(example_known);
  return {};
}

}  // namespace example
