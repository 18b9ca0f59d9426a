#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/temporary_folder.hpp"
#include "data/thrown.hpp"

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
