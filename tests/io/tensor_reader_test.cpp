#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/checksum.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/temporary_folder.hpp"
#include "data/thrown.hpp"
#include "io/tensor_file.hpp"

using namespace lstmrec;

TEST_CASE("TensorReader: reads what a TensorWriter borrowed and was handed, in any order") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  std::vector<float> numbers = {1, 2, 3, 4, 5, 6};
  TensorWriter writer;
  writer.metadata["key"] = "a \"text\"\n";
  writer.put("numbers", {3, 2}, std::span(numbers));
  writer.put_owned("offsets", std::vector<std::int64_t>{0, 2, 2, 6});
  writer.put_owned("text", std::string("two words"));
  numbers[5] = 7;  // borrowed until the file is written
  writer.write(path);

  TensorReader file(path);
  REQUIRE(file.text("key") != nullptr);
  CHECK(*file.text("key") == "a \"text\"\n");
  CHECK(file.text("other") == nullptr);
  CHECK(file.contains("text"));
  CHECK_FALSE(file.contains("other"));
  std::string text(9, ' ');
  file.get_into("text", std::span<char>(text));
  CHECK(text == "two words");
  CHECK(file.get_offsets("offsets", 6) == std::vector<std::size_t>{0, 2, 2, 6});
  CHECK(file.get<float>("numbers") == std::vector<float>{1, 2, 3, 4, 5, 7});
  CHECK_NOTHROW(file.expect_shape("numbers", {3, 2}));
  CHECK(contains(thrown<ModelFileError>([&] { file.expect_shape("numbers", {6}); }),
                 "file: numbers: expected shape [6], found [3, 2]"));
  CHECK(
      contains(thrown<ModelFileError>([&] { file.get<double>("numbers"); }), "file: numbers: expected F64, found F32"));
  CHECK(contains(thrown<ModelFileError>([&] { file.get<float>("other"); }), "file: the tensor other is missing"));
  CHECK(contains(thrown<ModelFileError>([&] { file.get_offsets("offsets", 7); }),
                 "file: offsets: expected to rise from 0 to 7"));
}

TEST_CASE("TensorReader: offsets that fall, begin late or are negative are refused") {
  const TemporaryFolder folder;
  for (const auto& offsets : std::vector<std::vector<std::int64_t>>{{}, {1, 4}, {0, 3, 2, 4}, {0, -1, 4}, {0, 5}}) {
    TensorWriter writer;
    writer.put("offsets", {offsets.size()}, std::span(offsets));
    writer.write(folder.path() / "file");
    TensorReader file(folder.path() / "file");
    CHECK_THROWS_AS(file.get_offsets("offsets", 4), ModelFileError);
  }
}

TEST_CASE("TensorReader: one flipped bit anywhere is found") {
  const TemporaryFolder folder;
  TensorWriter writer;
  writer.metadata["key"] = "text";
  writer.put_owned("numbers", std::vector<float>{1, -2, 0.5f});
  writer.put_owned("text", std::string("five!"));
  writer.put_owned("empty", std::vector<std::int64_t>{});
  writer.write(folder.path() / "file");
  std::ifstream in(folder.path() / "file", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto read = [&](const std::string& contents) { read_tensor_file(folder.write("changed", contents)); };
  CHECK_NOTHROW(read(bytes));
  std::size_t missed = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    try {
      read(changed);
      UNSCOPED_INFO("byte " << bit / 8 << ", bit " << bit % 8);
      ++missed;
    } catch (const ModelFileError&) {
    }
  }
  CHECK(missed == 0);
}

TEST_CASE("TensorReader: a file without checksums, as other programs write it, is taken as it is") {
  const TemporaryFolder folder;
  const std::string header = R"({"__metadata__":{"key":"text"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  CHECK_NOTHROW(read_tensor_file(folder.write("file", file + header + "1234")));
  CHECK_NOTHROW(read_tensor_file(folder.write("file", file + header + "1235")));
}

TEST_CASE("checksum: every word counts, and so do its place and the number of bytes") {
  std::vector<std::byte> bytes(77);
  for (std::size_t k = 0; k < bytes.size(); ++k) bytes[k] = static_cast<std::byte>(k * k);
  std::set<std::uint64_t> sums = {checksum(bytes)};
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto changed = bytes;
    changed[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    sums.insert(checksum(changed));
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) sums.insert(checksum(std::span(bytes).first(size)));
  auto swapped = bytes;
  std::swap_ranges(swapped.begin(), swapped.begin() + 8, swapped.begin() + 8);
  sums.insert(checksum(swapped));
  CHECK(sums.size() == 1 + 8 * 77 + 77 + 1);
  CHECK(checksum_text({}).size() == 16);
}
