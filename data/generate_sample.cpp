// Writes data/sample: invented users and films in MovieLens' CSV format. Usage: generate_sample FOLDER
//
// What is in it to be found, beside popularity:
//   series   the next part tends to follow a part, more surely from the third on, and also after an interlude
//   runs     three films of a genre in a row, then its successor or a favourite: what follows a film depends on how
//            many of its genre came before it
//   taste    a user's favourite genres are watched more often, and rated higher
//   drift    the favourites change in the course of the history
// A list of popular films sees nothing of it. Counts of what follows what see the series and half of the runs; the
// length of a run they cannot see.
//
// Only integers are used, and never two draws in one expression whose order the language leaves open, so that every
// compiler and processor writes the same bytes.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <lstmrec/core/random.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace {

using lstmrec::Random;

constexpr std::size_t users = 500;
constexpr std::size_t films_per_genre = 50;
constexpr std::array genres = {"Action", "Comedy", "Crime", "Drama", "Horror", "Sci-Fi"};
constexpr std::size_t run_length = 3;
constexpr std::size_t films = genres.size() * films_per_genre;

bool chance(Random& random, std::uint64_t percent) { return random.below(100) < percent; }

std::uint64_t between(Random& random, std::uint64_t low, std::uint64_t high) {
  return low + random.below(high - low + 1);
}

template <std::size_t Size>
std::string pick(Random& random, const std::array<const char*, Size>& words) {
  return words[random.below(Size)];
}

struct Film {
  std::size_t genre = 0;
  std::optional<std::size_t> second_genre;
  std::optional<std::size_t> next_part;  // the film that continues the series
  std::uint64_t popularity = 0;          // chances are in proportion
  int quality = 0;                       // in half stars, around 0
  int year = 0;
  std::size_t id = 0;
  std::string title;
};

// Film g * films_per_genre + i is the i-th of genre g, by year.
std::vector<Film> make_catalogue(Random& random) {
  constexpr std::array first = {"Amber",     "Borrowed", "Clockwork", "Crooked",  "Distant", "Feathered",
                                "Forgotten", "Gilded",   "Hollow",    "Icebound", "Last",    "Lunar",
                                "Mirror",    "Nameless", "Painted",   "Paper",    "Quiet",   "Restless",
                                "Salted",    "Seventh",  "Sunken",    "Tin",      "Velvet",  "Wandering"};
  constexpr std::array second = {"Almanac",  "Beekeeper", "Café",       "Cartographer", "Ferryman",   "Garden",
                                 "Harbour",  "Jukebox",   "Kite",       "Laundry",      "Lighthouse", "Meridian",
                                 "Orchard",  "Parade",    "Postcard",   "Quarry",       "Señorita",   "Staircase",
                                 "Tollgate", "Violin",    "Weathervane"};
  constexpr std::array third = {"",          "",         "", " at Noon", " in Winter", " of Ashes", " of the North",
                                ", My Love", " Upstairs"};
  constexpr std::array numerals = {"", " II", " III", " IV", " V"};

  std::vector<Film> catalogue(films);
  std::set<std::string> names;
  for (std::size_t genre = 0; genre < genres.size(); ++genre) {
    std::size_t part = 0, parts = 0;
    std::string name;
    for (std::size_t i = 0; i < films_per_genre; ++i) {
      auto& film = catalogue[genre * films_per_genre + i];
      if (part == parts) {
        part = 0;
        parts = chance(random, 25) ? between(random, 2, 5) : 1;
        parts = std::min(parts, films_per_genre - i);
        do {
          name = pick(random, first);
          name += ' ' + pick(random, second);
          name += pick(random, third);
        } while (!names.insert(name).second);
      }
      film.genre = genre;
      if (chance(random, 35)) film.second_genre = (genre + between(random, 1, genres.size() - 1)) % genres.size();
      if (part + 1 < parts) film.next_part = genre * films_per_genre + i + 1;
      film.popularity = 1 + 400 / between(random, 4, 60);
      film.quality = static_cast<int>(random.below(4)) - 1;
      film.year = 1931 + static_cast<int>(i * 86 / films_per_genre + random.below(2));
      // As in MovieLens, the article stands behind.
      const std::string article = (part == 0 || parts == 1) && chance(random, 30) ? ", The" : "";
      film.title = name + numerals[part] + article + " (" + std::to_string(film.year) + ")";
      ++part;
    }
  }
  // The ids say nothing of genre or series, and have gaps.
  std::vector<std::size_t> order(films);
  for (std::size_t i = 0; i < films; ++i) order[i] = i;
  random.shuffle(order);
  std::size_t id = 0;
  for (const auto film : order) catalogue[film].id = id += between(random, 1, 6);
  return catalogue;
}

struct Rating {
  std::size_t film = 0;
  int half_stars = 0;
  std::int64_t time = 0;
};

// One user's taste, and what the next film depends on.
class Viewer {
 public:
  Viewer(const std::vector<Film>& catalogue, Random random) : catalogue_(catalogue), random_(random), seen_(films) {
    for (auto& favourite : favourites_) favourite = random_.below(genres.size());
    mood_ = static_cast<int>(random_.below(4)) - 1;
  }

  std::vector<Rating> watch() {
    const std::size_t short_length = 20 + random_.below(101), long_length = 20 + random_.below(201);
    const std::size_t length = std::min(short_length, long_length);
    std::vector<Rating> ratings;
    auto time = static_cast<std::int64_t>(between(random_, 946'684'800, 1'500'000'000));
    for (std::size_t i = 0; i < length; ++i) {
      const bool late = random_.below(length) < i;  // drift: ever more often the later favourites
      const std::size_t film = next(late);
      ratings.push_back({film, half_stars(film, late), time});
      remember(film);
      time += static_cast<std::int64_t>(chance(random_, 85) ? between(random_, 20, 900)
                                                            : between(random_, 40'000, 2'000'000));
    }
    return ratings;
  }

 private:
  std::size_t favourite(bool late) { return favourites_[(late ? 2 : 0) + random_.below(2)]; }

  std::size_t next(bool late) {
    if (!history_.empty()) {
      if (const auto sequel = unseen_sequel(history_.back()); sequel && chance(random_, parts_in_row_ > 1 ? 60 : 35)) {
        return *sequel;
      }
      for (std::size_t age = 2; age <= 3 && age <= history_.size(); ++age) {
        const auto sequel = unseen_sequel(history_[history_.size() - age]);
        if (sequel && chance(random_, 15)) return *sequel;
      }
    }
    return by_popularity(next_genre(late));
  }

  std::size_t next_genre(bool late) {
    if (history_.empty() || chance(random_, 12)) return favourite(late);
    const std::size_t genre = catalogue_[history_.back()].genre;
    const auto other = [&](std::size_t film) { return catalogue_[film].genre != genre; };
    const auto run = std::find_if(history_.rbegin(), history_.rend(), other) - history_.rbegin();
    if (static_cast<std::size_t>(run) < run_length) return genre;
    return chance(random_, 65) ? (genre + 1) % genres.size() : favourite(late);
  }

  // An unseen film of the genre, or of the next genre that has one.
  std::size_t by_popularity(std::size_t genre) {
    const auto weight = [&](std::size_t film) {
      return seen_[film] || catalogue_[film].genre != genre ? 0 : catalogue_[film].popularity;
    };
    std::uint64_t total = 0;
    for (std::size_t film = 0; film < films; ++film) total += weight(film);
    if (total == 0) return by_popularity((genre + 1) % genres.size());
    std::uint64_t draw = random_.below(total);
    std::size_t film = 0;
    while (draw >= weight(film)) draw -= weight(film++);
    return film;
  }

  std::optional<std::size_t> unseen_sequel(std::size_t film) const {
    const auto sequel = catalogue_[film].next_part;
    return sequel && !seen_[*sequel] ? sequel : std::nullopt;
  }

  void remember(std::size_t film) {
    const bool continues = !history_.empty() && catalogue_[history_.back()].next_part == film;
    parts_in_row_ = continues ? parts_in_row_ + 1 : 1;
    seen_[film] = true;
    history_.push_back(film);
  }

  int half_stars(std::size_t film, bool late) {
    const auto genre = catalogue_[film].genre;
    const bool liked = favourites_[late ? 2 : 0] == genre || favourites_[late ? 3 : 1] == genre;
    const int noise = static_cast<int>(random_.below(3) + random_.below(3)) - 2;  // in either order
    return std::clamp(6 + catalogue_[film].quality + mood_ + (liked ? 2 : 0) + noise, 1, 10);
  }

  const std::vector<Film>& catalogue_;
  Random random_;
  std::array<std::size_t, 4> favourites_ = {};  // the first two early in the history, the others late
  int mood_ = 0;
  std::vector<std::size_t> history_;
  std::vector<bool> seen_;
  std::size_t parts_in_row_ = 0;
};

void write_films(std::ostream& out, std::vector<Film> catalogue) {
  std::sort(catalogue.begin(), catalogue.end(), [](const Film& a, const Film& b) { return a.id < b.id; });
  out << "movieId,title,genres\n";
  for (const auto& film : catalogue) {
    const bool quote = film.title.find(',') != std::string::npos;
    out << film.id << ',' << (quote ? "\"" : "") << film.title << (quote ? "\"" : "") << ',' << genres[film.genre];
    if (film.second_genre) out << '|' << genres[*film.second_genre];
    out << '\n';
  }
}

// By user and film, as MovieLens' own CSV releases are: not in time order.
void write_ratings(std::ostream& out, const std::vector<Film>& catalogue) {
  out << "userId,movieId,rating,timestamp\n";
  for (std::size_t user = 1; user <= users; ++user) {
    auto ratings = Viewer(catalogue, Random(lstmrec::mix_seed(2, user))).watch();
    std::sort(ratings.begin(), ratings.end(),
              [&](const Rating& a, const Rating& b) { return catalogue[a.film].id < catalogue[b.film].id; });
    for (const auto& [film, half_stars, time] : ratings) {
      out << user << ',' << catalogue[film].id << ',' << half_stars / 2 << (half_stars % 2 ? ".5," : ".0,") << time
          << '\n';
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: generate_sample FOLDER\n";
    return EXIT_FAILURE;
  }
  const std::filesystem::path folder = argv[1];
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  Random random(1);
  const auto catalogue = make_catalogue(random);
  std::ofstream movies(folder / "movies.csv", std::ios::binary), ratings(folder / "ratings.csv", std::ios::binary);
  write_films(movies, catalogue);
  write_ratings(ratings, catalogue);
  if (!movies.flush() || !ratings.flush()) {
    std::cerr << "generate_sample: cannot write to " << folder << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
