#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/lstmrec.hpp>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "console.hpp"
#include "data_facts.hpp"
#include "explanations.hpp"
#include "report_chart.hpp"
#include "report_page.hpp"

namespace example {

/// A user of the test part: the history, what was recommended after it, and what the user then took.
struct ReportUser {
  struct Place {
    std::string title;
    bool hit = false;
  };
  std::string id;
  std::size_t events = 0;            ///< Before the target.
  std::vector<std::string> history;  ///< The last of them, newest first.
  std::vector<Place> recommended;    ///< Best first.
  std::string target;
  std::uint32_t rank = 0;  ///< Of the target, among all items that the user hasn't had, if it is one.
};

/// The contents of a report. Only `figures` has to be filled: the model, then the baselines, the best of them last.
struct Report {
  std::string title, subtitle, notice;
  std::vector<lstmrec::NamedEvaluation> figures;
  std::optional<lstmrec::Comparison> difference;  ///< Of the model to the last of the figures.
  std::vector<lstmrec::EpochRecord> epochs;
  std::size_t best_epoch = 0;
  std::vector<lstmrec::Slice> model_by_history, other_by_history, model_by_popularity, other_by_popularity;
  std::vector<lstmrec::GenreSlice> model_by_genre, other_by_genre;
  std::optional<lstmrec::Calibration> calibration;
  std::vector<ReportUser> users;
  std::vector<Fact> data, training, configuration;
};

/// An item's title, or its id where the data has no title.
inline std::string title_of(const lstmrec::Sequences& sequences, std::uint32_t item) {
  const std::string& title = sequences.catalogue[item].title;
  return title.empty() ? "item " + sequences.items.id(item).text() : title;
}

/// Some targets of different users, drawn by the seed: hits and misses as they come.
inline std::vector<ReportUser> draw_users(const lstmrec::ScorerRef& scorer, const lstmrec::Split& split,
                                          const lstmrec::Evaluation& evaluation, std::size_t count,
                                          std::uint64_t seed) {
  const lstmrec::Sequences& sequences = split.sequences;
  std::vector<std::size_t> order(evaluation.targets.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
  lstmrec::Random(lstmrec::mix_seed(seed, 0x7265706f7274u)).shuffle(order);

  std::vector<lstmrec::Target> targets;
  std::vector<ReportUser> users;
  for (const std::size_t k : order) {
    if (users.size() == count) break;
    const lstmrec::Target target = evaluation.targets[k];
    const auto same = [&](const lstmrec::Target& other) { return other.user == target.user; };
    if (std::any_of(targets.begin(), targets.end(), same)) continue;
    targets.push_back(target);
    const lstmrec::History history = split.history(target);
    ReportUser& user = users.emplace_back(ReportUser{sequences.users.id(target.user).text(),
                                                     history.size(),
                                                     {},
                                                     {},
                                                     title_of(sequences, split.event(target).item),
                                                     evaluation.ranks[k]});
    for (std::size_t age = 0; age < std::min<std::size_t>(10, history.size()); ++age)
      user.history.push_back(title_of(sequences, history.items[history.size() - 1 - age]));
  }
  lstmrec::ThreadPool one(1);
  const auto lists =
      lstmrec::top_lists(scorer, lstmrec::queries_of(split, targets), 10, {.exclude_seen = scorer.exclude_seen()}, one);
  for (std::size_t k = 0; k < users.size(); ++k)
    for (const auto& place : lists[k])
      users[k].recommended.push_back({title_of(sequences, place.item), place.item == split.event(targets[k]).item});
  return users;
}

namespace page {

/// `1 000 209` in one piece, with narrow no-break spaces.
inline std::string count(std::size_t number) {
  std::string text;
  for (const char c : grouped(number)) text += c == ' ' ? std::string("\u202f") : std::string(1, c);
  return text;
}

/// With a proper minus sign.
inline std::string signed_number(double value, int digits) {
  return (value < 0 ? "−" : "") + fixed(std::abs(value), digits);
}

inline void write_facts(std::ostream& out, const std::string& title, const std::vector<Fact>& facts) {
  if (facts.empty()) return;
  out << "<div class=\"card\">";
  if (!title.empty()) out << "<h3>" << escaped(title) << "</h3>";
  out << "<table class=\"facts\">\n";
  for (const auto& [name, value] : facts)
    out << "<tr><th scope=\"row\">" << escaped(name) << "</th><td>" << escaped(value) << "</td></tr>\n";
  out << "</table></div>\n";
}

inline void write_cell(std::ostream& out, const lstmrec::Estimate& e) {
  out << "<td>" << fixed(e.value, 3);
  if (e.low < e.high) out << "<small>" << fixed(e.low, 3) << "–" << fixed(e.high, 3) << "</small>";
  out << "</td>";
}

/// The figures at one cutoff, a line a model.
inline void write_figures(std::ostream& out, const Report& report, std::size_t k) {
  const std::string at = "@" + std::to_string(k);
  out << "<div class=\"card scroll\"><table><thead><tr><th scope=\"col\">model</th><th scope=\"col\">HR" << at
      << "</th><th scope=\"col\">NDCG" << at << "</th><th scope=\"col\" class=\"wide\">NDCG" << at
      << ", from 0</th><th scope=\"col\">MRR</th><th scope=\"col\" class=\"wide\">coverage" << at
      << "</th><th scope=\"col\" class=\"wide\">mean popularity</th></tr></thead><tbody>\n";
  double most = 1e-9;
  for (const auto& row : report.figures) most = std::max(most, row.evaluation.ndcg_at(k).high);
  for (const auto& row : report.figures) {
    const lstmrec::Evaluation& e = row.evaluation;
    const bool own = &row == &report.figures.front();
    const lstmrec::Estimate& ndcg = e.ndcg_at(k);
    out << "<tr" << (own ? " class=\"own\"" : "") << "><th scope=\"row\">" << escaped(row.name) << "</th>";
    write_cell(out, e.hr_at(k));
    write_cell(out, ndcg);
    out << "<td class=\"wide\">";
    write_interval(out, own ? "model" : "other", ndcg.low, ndcg.value, ndcg.high, most);
    out << "</td>";
    write_cell(out, e.mrr);
    out << "<td class=\"wide\">" << fixed(100 * e.coverage[e.place_of(k)], 1) << " %</td><td class=\"wide\">"
        << fixed(e.mean_popularity[e.place_of(k)], 1) << "</td></tr>\n";
  }
  out << "</tbody></table></div>\n";
}

inline void write_slices(std::ostream& out, const Report& report, const std::string& title, const std::string& x_label,
                         const std::vector<lstmrec::Slice>& model, const std::vector<lstmrec::Slice>& other) {
  if (model.empty()) return;
  std::vector<std::string> labels, notes;
  std::vector<Series> series{{report.figures.front().name, "model", {}}, {report.figures.back().name, "other", {}}};
  for (std::size_t k = 0; k < model.size(); ++k) {
    const std::string low = std::to_string(model[k].low), high = std::to_string(model[k].high);
    labels.push_back(low == high ? low : low + "–" + high);
    notes.push_back(std::to_string(model[k].targets) + " targets");
    series[0].values.push_back(model[k].hr);
    series[1].values.push_back(other[k].hr);
  }
  write_bar_chart(out, title, x_label, labels, notes, series);
}

/// A line a genre, where the data has genres.
inline void write_genres(std::ostream& out, const Report& report) {
  if (report.model_by_genre.empty()) return;
  const std::string other = escaped(report.figures.back().name);
  out << "<details><summary>By genre of the target</summary>\n<div class=\"card scroll\"><table><thead><tr>"
      << "<th scope=\"col\">genre</th><th scope=\"col\">targets</th><th scope=\"col\">HR@10</th><th scope=\"col\">"
      << other << "</th><th scope=\"col\">NDCG@10</th><th scope=\"col\">" << other << "</th></tr></thead><tbody>\n";
  for (std::size_t k = 0; k < report.model_by_genre.size(); ++k) {
    const lstmrec::GenreSlice &model = report.model_by_genre[k], &compared = report.other_by_genre[k];
    out << "<tr><th scope=\"row\">" << escaped(model.genre) << "</th><td>" << count(model.targets) << "</td><td>"
        << fixed(model.hr, 3) << "</td><td>" << fixed(compared.hr, 3) << "</td><td>" << fixed(model.ndcg, 3)
        << "</td><td>" << fixed(compared.ndcg, 3) << "</td></tr>\n";
  }
  out << "</tbody></table></div></details>\n";
}

inline void write_calibration(std::ostream& out, const lstmrec::Calibration& calibration) {
  std::vector<std::string> labels, notes;
  std::vector<Series> series{{"expected", "other", {}}, {"observed", "model", {}}};
  for (const lstmrec::CalibrationBin& bin : calibration.bins) {
    labels.push_back(std::to_string(labels.size() + 1));
    notes.push_back(std::to_string(bin.targets) + " targets");
    series[0].values.push_back(bin.predicted);
    series[1].values.push_back(bin.observed);
  }
  write_bar_chart(out, "HR@10, expected and observed", "targets, from the least sure to the surest", labels, notes,
                  series);
}

inline void write_curves(std::ostream& out, const Report& report) {
  if (report.epochs.empty()) return;
  Series loss{"training loss", "model", {}}, ndcg{"NDCG@10", "model", {}}, hr{"HR@10", "third", {}};
  for (const auto& epoch : report.epochs) {
    loss.values.push_back(epoch.loss);
    if (!epoch.validation) continue;
    ndcg.values.push_back(epoch.validation->ndcg10);
    hr.values.push_back(epoch.validation->hr10);
  }
  out << "<h2>Training</h2>\n<div class=\"pair\">\n";
  write_line_chart(out, "Training loss", std::span(&loss, 1), report.best_epoch, 4);
  if (!ndcg.values.empty()) write_line_chart(out, "Validation", std::vector{hr, ndcg}, report.best_epoch, 4);
  out << "</div>\n";
  if (report.best_epoch > 0)
    out << "<p class=\"quiet\">Kept: the weights after epoch " << report.best_epoch
        << " (dashed), the best NDCG@10 on the validation part.</p>\n";
}

inline void write_user(std::ostream& out, const ReportUser& user) {
  const bool hit = user.rank <= user.recommended.size();
  out << "<article class=\"card user\"><header><h3>User " << escaped(user.id) << "</h3><span class=\"verdict"
      << (hit ? " hit" : "") << "\">" << (hit ? "hit: " : "") << "took <b>" << escaped(user.target) << "</b> next, "
      << (user.rank == lstmrec::metrics::not_ranked ? "which is left out as seen" : "ranked " + count(user.rank))
      << "</span></header>\n<div class=\"pair\"><div><h4>"
      << (user.history.empty() ? "No history" : "History, newest first") << "</h4><ul>\n";
  for (const auto& title : user.history) out << "<li>" << escaped(title) << "</li>\n";
  if (user.events > user.history.size())
    out << "<li class=\"quiet\">and " << count(user.events - user.history.size()) << " before</li>\n";
  out << "</ul></div><div><h4>Recommended</h4><ol>\n";
  for (const auto& [title, is_hit] : user.recommended)
    out << (is_hit ? "<li class=\"hit\">" : "<li>") << escaped(title) << "</li>\n";
  out << "</ol></div></div></article>\n";
}

inline void write_tiles(std::ostream& out, const Report& report) {
  const lstmrec::Evaluation& model = report.figures.front().evaluation;
  const auto tile = [&](const std::string& value, const std::string& name) {
    out << "<div class=\"tile\"><b>" << escaped(value) << "</b><span>" << escaped(name) << "</span></div>\n";
  };
  out << "<div class=\"tiles\">\n";
  tile(fixed(model.hr_at(10).value, 3), "HR@10: the next item is among ten");
  tile(fixed(model.ndcg_at(10).value, 3), "NDCG@10");
  if (report.difference)
    tile((report.difference->ndcg.value >= 0 ? "+" : "") + signed_number(report.difference->ndcg.value, 3),
         "NDCG@10 against " + report.figures.back().name + ", the best baseline");
  tile(count(model.targets.size()), "test targets, each among " + count(model.items) + " items");
  out << "</div>\n";
}

inline void write_difference(std::ostream& out, const Report& report) {
  if (!report.difference) return;
  const auto& [ndcg, p] = *report.difference;
  out << "<p class=\"quiet\">NDCG@10 of " << escaped(report.figures.front().name) << " less that of "
      << escaped(report.figures.back().name) << ": " << signed_number(ndcg.value, 4) << ", 95% interval "
      << signed_number(ndcg.low, 4) << " to " << signed_number(ndcg.high, 4) << ", "
      << escaped(p_text(p, lstmrec::CompareOptions().bootstrap_samples)) << " (paired bootstrap over users)."
      << (ndcg.value < 0 ? " The model is below " + escaped(report.figures.back().name) + " on these data." : "")
      << "</p>\n";
}

}  // namespace page

/// Writes one self-contained HTML page. Throws std::out_of_range unless all figures have the cutoff 10.
inline void write_report(std::ostream& out, const Report& report) {
  const lstmrec::Evaluation& model = report.figures.front().evaluation;
  out << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" << escaped(report.title)
      << "</title>\n<style>" << report_colours << report_style << "</style></head>\n<body><main>\n<h1>"
      << escaped(report.title) << "</h1>\n<p class=\"quiet\">" << escaped(report.subtitle) << "</p>\n";
  if (!report.notice.empty()) out << "<p class=\"notice\">" << escaped(report.notice) << "</p>\n";
  page::write_tiles(out, report);

  out << "<h2>Figures on the test part</h2>\n";
  page::write_figures(out, report, 10);
  page::write_difference(out, report);
  out << "<p class=\"quiet\">Small figures: 95% intervals (bootstrap over users). Protocol: " << escaped(model.protocol)
      << ".</p>\n<details><summary>What these figures and models are</summary>\n";
  page::write_facts(out, "", explanations(report.figures, 10));
  out << "</details>\n<details><summary>Other cutoffs</summary>\n";
  for (const std::size_t k : model.cutoffs)
    if (k != 10) page::write_figures(out, report, k);
  out << "</details>\n";

  page::write_curves(out, report);
  if (!report.model_by_history.empty()) {
    out << "<h2>For whom, and of what</h2>\n<div class=\"pair\">\n";
    page::write_slices(out, report, "HR@10 by length of the history", "events before the target",
                       report.model_by_history, report.other_by_history);
    page::write_slices(out, report, "HR@10 by popularity of the target", "training events of the target's item",
                       report.model_by_popularity, report.other_by_popularity);
    out << "</div>\n";
    page::write_genres(out, report);
  }
  if (report.calibration) {
    out << "<h2>How sure, and how often right</h2>\n<div class=\"pair\">\n";
    page::write_calibration(out, *report.calibration);
    out << "<div class=\"card\"><p>The probability that the model gives to its ten best items together, and how often "
        << "the next item was among them. Where both bars are equally high, its probabilities can be taken at their "
        << "word.</p><p class=\"quiet\">Mean distance (expected calibration error): "
        << fixed(report.calibration->error, 3) << "</p></div>\n</div>\n";
  }
  if (!report.users.empty()) {
    out << "<h2>Some users</h2>\n<p class=\"quiet\">Drawn at random from the test part: hits and misses as they "
        << "come.</p>\n";
    for (const auto& user : report.users) page::write_user(out, user);
  }
  out << "<h2>Facts</h2>\n<div class=\"pair\"><div class=\"stack\">\n";
  page::write_facts(out, "Data", report.data);
  page::write_facts(out, "Training", report.training);
  out << "</div>\n";
  page::write_facts(out, "Configuration", report.configuration);
  out << "</div>\n</main></body></html>\n";
}

}  // namespace example
