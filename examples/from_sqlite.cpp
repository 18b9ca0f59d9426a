/// Trains from a SQLite database and serves out of it: reads the table events (user, item, time in seconds), trains,
/// and writes the ten best items of every user to the table recommendations (user, place, item, score).
///
///     from_sqlite shop.db

#include <sqlite3.h>

#include <cstdint>
#include <iostream>
#include <lstmrec/lstmrec.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace lstmrec;
using Database = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;
using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

void check(sqlite3* database, int code) {
  if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(database));
}

Database open(const char* path) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, nullptr);
  Database owner(database, sqlite3_close);
  check(database, code);
  return owner;
}

Statement prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  check(database, sqlite3_prepare_v2(database, sql, -1, &statement, nullptr));
  return Statement(statement, sqlite3_finalize);
}

void run(sqlite3* database, const char* sql) {
  check(database, sqlite3_exec(database, sql, nullptr, nullptr, nullptr));
}

Interactions read_events(sqlite3* database) {
  Interactions log;
  log.has_times = true;
  log.source = "table events";
  const Statement rows = prepare(database, "SELECT user, item, time FROM events");
  const auto text = [&](int column) {
    const auto* const value = reinterpret_cast<const char*>(sqlite3_column_text(rows.get(), column));
    if (value == nullptr) throw std::runtime_error("table events: expected a user and an item in every row, got NULL");
    return std::string(value);
  };
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(rows.get())) == SQLITE_ROW) {
    if (sqlite3_column_type(rows.get(), 2) != SQLITE_INTEGER)
      throw std::runtime_error("table events: expected times in whole seconds; unixepoch(time) makes them of texts");
    log.observe(text(0), text(1), sqlite3_column_int64(rows.get(), 2));
  }
  check(database, code == SQLITE_DONE ? SQLITE_OK : code);
  return log;
}

void write_lists(sqlite3* database, const Recommender& recommender, const Sequences& sequences) {
  run(database, "BEGIN");
  run(database, "DROP TABLE IF EXISTS recommendations");
  run(database, "CREATE TABLE recommendations (user, place INTEGER, item, score REAL)");
  const Statement insert = prepare(database, "INSERT INTO recommendations VALUES (?, ?, ?, ?)");
  Ranker ranker(recommender);
  for (std::uint32_t number = 0; number < sequences.size(); ++number) {
    UserState user;
    ranker.observe_all(user, sequences[number]);
    int place = 0;
    for (const auto& [item, title, score] : ranker.top_n(user, 10)) {
      const std::string user_id = sequences.users.id(number).text(), item_id = item.text();
      sqlite3_bind_text(insert.get(), 1, user_id.c_str(), -1, SQLITE_TRANSIENT);
      sqlite3_bind_int(insert.get(), 2, ++place);
      sqlite3_bind_text(insert.get(), 3, item_id.c_str(), -1, SQLITE_TRANSIENT);
      sqlite3_bind_double(insert.get(), 4, static_cast<double>(score));
      if (sqlite3_step(insert.get()) != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database));
      sqlite3_reset(insert.get());
    }
  }
  run(database, "COMMIT");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw std::runtime_error("usage: from_sqlite DATABASE");
  const Database database = open(argv[1]);
  const Sequences sequences = build_sequences(read_events(database.get()));
  const Split split = leave_one_out(sequences);
  const Recommender recommender = fit(split, preset("quick", split)).recommender;
  write_lists(database.get(), recommender, sequences);
  std::cout << "lists of " << sequences.size() << " users written\n";
} catch (const std::exception& error) {
  std::cerr << "from_sqlite: " << error.what() << '\n';
  return 1;
}
