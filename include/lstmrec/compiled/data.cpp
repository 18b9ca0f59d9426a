// Reading, sorting and splitting of logs. See core/compiled.hpp.

#include <lstmrec/data/movielens_inl.hpp>
#include <lstmrec/data/sequences_inl.hpp>
#include <lstmrec/data/split_inl.hpp>
