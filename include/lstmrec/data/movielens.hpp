#pragma once

#include <filesystem>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/interactions.hpp>
#include <vector>

namespace lstmrec {

/// The files that read_movielens reads of a release, the log first: what a program that reads it must not write.
/// Throws Error where there is no log.
LSTMREC_INLINE std::vector<std::filesystem::path> movielens_files(const std::filesystem::path& file_or_folder);

/// Reads a MovieLens release, or anything written the same way: a file, or the folder that holds it.
///
/// | name | a line | releases |
/// |---|---|---|
/// | u.data | user, item, rating, time, separated by tabs | 100K, and its folds (u1.test) |
/// | ratings.dat | user::item::rating::time | 1M, 10M |
/// | ratings.csv | a header with userId, movieId, rating, timestamp; fields may be quoted | 20M and later, latest |
/// | sequences.txt | user item item …, separated by spaces, in time order | |
///
/// The format is told from the content first, so other names do as well. Ids are integers, of which the
/// text counts (007 is not 7), times 64-bit integers. Titles and
/// genres come from u.item (with u.genre), movies.dat or movies.csv where one lies beside the file.
/// Throws Error for what can't be read at all, and ParseError with the line for what is not as it should be.
/// Memory: 20 bytes an event (8 for a sequence file), plus the vocabulary and the catalogue.
LSTMREC_INLINE Interactions read_movielens(const std::filesystem::path& file_or_folder);

}  // namespace lstmrec

#ifndef LSTMREC_COMPILED
#include <lstmrec/data/movielens_inl.hpp>
#endif
