// Writes data/shop: invented visits to a shop's pages, events.csv and items.csv. Usage: generate_shop FOLDER
//
// What is in it to be found, beside popularity:
//   goals     a visit looks for products of one category, and at the end for what goes with the last one
//   pairs     every product has two that are looked at after it more often than others
//   repeats   a page is loaded again, and visitors come back to a product that they have seen in the visit
//   carts     what is put into the cart is looked at once more, and then bought or not
//   launches  some products come out in the course of the year, and are asked for at once
//
// Only integers are used, and never two draws in one expression whose order the language leaves open, so that every
// compiler and processor writes the same bytes.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <lstmrec/core/random.hpp>
#include <string>
#include <vector>

namespace {

using lstmrec::Random;

constexpr std::size_t customers = 600, products_per_category = 30;
constexpr std::array categories = {"Bags", "Boots", "Jackets", "Lamps", "Maps", "Ropes", "Stoves", "Tents"};
constexpr std::size_t products = categories.size() * products_per_category;
constexpr std::int64_t first_second = 1'704'067'200;  // 2024-01-01
constexpr std::int64_t days = 180, day = 86'400;

bool chance(Random& random, std::uint64_t percent) { return random.below(100) < percent; }

std::uint64_t between(Random& random, std::uint64_t low, std::uint64_t high) {
  return low + random.below(high - low + 1);
}

struct Product {
  std::size_t category = 0;
  std::array<std::size_t, 2> pairs = {};  // products that are looked at after it
  std::uint64_t popularity = 0;           // chances are in proportion
  std::uint64_t cents = 0;
  std::int64_t launch = 0;  // day
  std::string sku, title;
};

std::vector<Product> make_catalogue(Random& random) {
  constexpr std::array makers = {"Alder", "Birch", "Cedar", "Fjäll", "Hazel", "Linden", "Maple", "Rowan"};
  constexpr std::array models = {"Basic", "Light", "Plus", "Trail", "Winter", "\"Pro\"", "Family", "Mini, 2nd edition"};
  std::vector<Product> catalogue(products);
  for (std::size_t k = 0; k < products; ++k) {
    Product& product = catalogue[k];
    product.category = k / products_per_category;
    for (std::size_t& pair : product.pairs) {
      const bool stays = chance(random, 60);
      const std::size_t category = (product.category + (stays ? 0 : 1)) % categories.size();
      pair = category * products_per_category + random.below(products_per_category);
    }
    product.popularity = 1 + 300 / between(random, 3, 60);
    product.cents = 100 * between(random, 5, 400) - 1;
    product.launch = chance(random, 20) ? static_cast<std::int64_t>(between(random, 10, days - 10)) : 0;
    const std::string category = categories[product.category];
    product.sku = category.substr(0, 2) + std::to_string(10'000 + between(random, 0, 89) * 1000 + k);
    product.title = makers[random.below(makers.size())];
    product.title += std::string(" ") + models[random.below(models.size())] + ' ' + category;
  }
  return catalogue;
}

// A product of the category that is out, by popularity; new ones are asked for most.
std::size_t draw_product(Random& random, const std::vector<Product>& catalogue, std::size_t category,
                         std::int64_t today) {
  const auto weight = [&](std::size_t k) {
    const Product& product = catalogue[k];
    const std::int64_t age = today - product.launch;
    return age < 0 ? 0 : product.popularity * (product.launch > 0 && age < 21 ? 5 : 1);
  };
  const std::size_t first = category * products_per_category, end = first + products_per_category;
  std::uint64_t total = 0;
  for (std::size_t k = first; k < end; ++k) total += weight(k);
  std::uint64_t draw = random.below(total);
  std::size_t k = first;
  while (draw >= weight(k)) draw -= weight(k++);
  return k;
}

struct Event {
  std::int64_t time = 0;
  std::size_t visit = 0, customer = 0, product = 0;
  const char* action = "view";
};

void visit_shop(Random& random, const std::vector<Product>& catalogue, Event event, std::size_t category,
                std::vector<Event>& events) {
  const std::size_t short_length = random.below(10), long_length = random.below(12);
  const std::size_t length = 2 + std::min(short_length, long_length);
  const std::int64_t today = (event.time - first_second) / day;
  std::vector<std::size_t> seen;
  const auto look = [&](std::size_t product, const char* action) {
    event.product = product;
    event.action = action;
    events.push_back(event);
    event.time += static_cast<std::int64_t>(between(random, 4, 240));
    seen.push_back(product);
  };
  for (std::size_t k = 0; k < length; ++k) {
    std::size_t next = draw_product(random, catalogue, category, today);
    if (!seen.empty()) {
      const std::uint64_t draw = random.below(100);
      const std::size_t pair = catalogue[seen.back()].pairs[random.below(10) < 7 ? 0 : 1];
      if (draw < 12)
        next = seen.back();
      else if (draw < 22)
        next = seen[random.below(seen.size())];
      else if (draw < 65 && catalogue[pair].launch <= today)
        next = pair;
    }
    look(next, "view");
    if (!chance(random, 12)) continue;
    look(next, "cart");
    if (chance(random, 45)) look(next, "purchase");
    category = (category + 1) % categories.size();  // and now what goes with it
  }
}

std::string iso_text(std::int64_t seconds) {
  const auto two = [](std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  const std::chrono::sys_days date{std::chrono::days(seconds / day)};
  const std::chrono::year_month_day calendar{date};
  const std::int64_t of_day = seconds % day;
  return std::to_string(int{calendar.year()}) + '-' + two(unsigned{calendar.month()}) + '-' +
         two(unsigned{calendar.day()}) + 'T' + two(of_day / 3600) + ':' + two(of_day / 60 % 60) + ':' +
         two(of_day % 60) + 'Z';
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: generate_shop FOLDER\n";
    return 2;
  }
  Random random(2024);
  const std::vector<Product> catalogue = make_catalogue(random);
  std::vector<Event> events;
  std::size_t visits = 0;
  for (std::size_t customer = 0; customer < customers; ++customer) {
    const std::size_t favourite = random.below(categories.size());
    const std::size_t few = random.below(6), more = random.below(8);
    const std::size_t own_visits = 1 + std::min(few, more);
    for (std::size_t k = 0; k < own_visits; ++k) {
      const auto second = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(days * day)));
      const std::size_t other = random.below(categories.size());
      const std::size_t category = chance(random, 60) ? favourite : other;
      visit_shop(random, catalogue, {first_second + second, visits++, customer, 0, "view"}, category, events);
    }
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.time < b.time; });

  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  std::ofstream log(folder / "events.csv", std::ios::binary), items(folder / "items.csv", std::ios::binary);
  log << "time,visit,customer,action,sku\n";
  for (const Event& event : events)
    log << iso_text(event.time) << ",v" << 1000 + event.visit << ",c" << 100 + event.customer << ',' << event.action
        << ',' << catalogue[event.product].sku << '\n';
  items << "sku,title,category,price\n";
  for (const Product& product : catalogue)
    items << product.sku << ',' << quoted(product.title) << ',' << categories[product.category] << ','
          << product.cents / 100 << '.' << (product.cents % 100 < 10 ? "0" : "") << product.cents % 100 << '\n';
  if (!log.flush() || !items.flush()) {
    std::cerr << "generate_shop: cannot write to " << folder.string() << '\n';
    return EXIT_FAILURE;
  }
}
