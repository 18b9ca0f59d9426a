#pragma once

#include <algorithm>
#include <cassert>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/matrix.hpp>

namespace lstmrec {

// The matrix product C = A B, or C = C + A B, behind the functions of products.hpp.
//
// A tile of C stays in registers while a panel of A (its rows) and a panel of B (its columns) run past, which lie
// packed in the order in which they are read; blocks of panels stay in the caches.
// Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008; Van Zee and van de Geijn, "BLIS: a
// framework for rapidly instantiating BLAS functionality", 2015.
//
// Eigen's packets stand for the vector registers, so there is one source for all processors. Where Eigen has none the
// product is right but not fast. It is here because Eigen's own product loses up to a quarter of the speed with some
// compilers, and because it packs the left matrix again for every product, where a recurrent layer multiplies by the
// same weights at every step.

namespace detail {

/// A borrowed matrix with any distance between neighbours, so that a transposed matrix needs no code of its own.
template <class Scalar>
struct StridedMatrix {
  const Scalar* data;
  Index rows, columns, row_stride, column_stride;

  StridedMatrix transposed() const { return {data, columns, rows, column_stride, row_stride}; }
  StridedMatrix block(Index row, Index column, Index height, Index width) const {
    return {data + row * row_stride + column * column_stride, height, width, row_stride, column_stride};
  }
};

template <class Scalar>
StridedMatrix<Scalar> strided(const ConstMatrixRef<Scalar>& a) {
  return {a.data(), a.rows(), a.cols(), 1, a.outerStride()};
}

template <class Scalar>
struct Tile {
  using Packet = typename Eigen::internal::packet_traits<Scalar>::type;
  static constexpr Index lanes = Eigen::internal::packet_traits<Scalar>::size;
  static constexpr Index rows = 2 * lanes;
  static constexpr Index columns = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 12 : 6;
};

// Elements of a block: of A 256 × 256, which the second-level cache holds, and of B 256 × 504.
inline constexpr Index row_block = 256, depth_block = 256, column_block = 504;

inline Index round_up(Index n, Index multiple) { return (n + multiple - 1) / multiple * multiple; }

/// to(column × stride + row) := from(row × from_stride + column), rows × columns numbers.
template <class Scalar>
void transpose_into(const Scalar* from, Index from_stride, Index rows, Index columns, Scalar* to, Index stride) {
  using namespace Eigen::internal;
  using Packet = typename find_best_packet<Scalar, 4>::type;
  constexpr int size = unpacket_traits<Packet>::size;
  constexpr Index strip = std::max(16, size);  // columns: so far the lines written stay in the first-level cache
  const Index packed_rows = rows / size * size, packed_columns = columns / size * size;
  for (Index begin = 0; begin < packed_columns; begin += strip)
    for (Index row = 0; row < packed_rows; row += size)
      for (Index column = begin; column < std::min(begin + strip, packed_columns); column += size) {
        PacketBlock<Packet, size> block;
        for (int i = 0; i < size; ++i) block.packet[i] = ploadu<Packet>(from + (row + i) * from_stride + column);
        ptranspose(block);
        for (int i = 0; i < size; ++i) pstoreu(to + (column + i) * stride + row, block.packet[i]);
      }
  for (Index row = 0; row < rows; ++row)
    for (Index column = row < packed_rows ? packed_columns : 0; column < columns; ++column)
      to[column * stride + row] = from[row * from_stride + column];
}

/// Lays panels of Width rows one after the other, each column by column. What stands in the missing rows of the last
/// does not matter: it only reaches parts of a tile that are not stored.
template <Index Width, class Scalar>
void pack_panels(StridedMatrix<Scalar> a, Scalar* panels) {
  assert(a.row_stride == 1 || a.column_stride == 1);
  for (Index row = 0, together = 1; row < a.rows; row += together * Width, panels += together * Width * a.columns) {
    const Index height = std::min(Width, a.rows - row);
    together = 1;
    const Scalar* const from = a.data + row * a.row_stride;
    if (a.row_stride != 1) {
      transpose_into(from, a.row_stride, height, a.columns, panels, Width);
    } else if (height == Width) {
      together = std::min<Index>(4, (a.rows - row) / Width);  // panels, so that memory is read in longer runs
      for (Index column = 0; column < a.columns; ++column)
        for (Index panel = 0; panel < together; ++panel)
          std::copy_n(from + panel * Width + column * a.column_stride, Width,
                      panels + (panel * a.columns + column) * Width);
    } else {
      for (Index column = 0; column < a.columns; ++column)
        std::copy_n(from + column * a.column_stride, height, panels + column * Width);
    }
  }
}

/// One tile of C, Tile::rows × width, from one panel of A and the first columns of one panel of B; width ≤ Columns.
template <Index Columns, class Scalar>
void tile_product(Index depth, const Scalar* a, const Scalar* b, Scalar* c, Index stride, Index width, bool add) {
  using namespace Eigen::internal;
  using Packet = typename Tile<Scalar>::Packet;
  constexpr Index lanes = Tile<Scalar>::lanes;
  Packet upper[Columns], lower[Columns];
#pragma GCC unroll 12
  for (Index j = 0; j < Columns; ++j) upper[j] = lower[j] = pset1<Packet>(Scalar(0));
  for (Index j = 0; j < width; ++j) {  // by the time that C is needed it has come
    prefetch(c + j * stride);
    prefetch(c + j * stride + lanes);
  }
  for (Index k = 0; k < depth; ++k, a += 2 * lanes, b += Tile<Scalar>::columns) {
    const Packet a_upper = ploadu<Packet>(a), a_lower = ploadu<Packet>(a + lanes);
#pragma GCC unroll 12
    for (Index j = 0; j < Columns; ++j) {
      const Packet b_j = pset1<Packet>(b[j]);
      upper[j] = pmadd(a_upper, b_j, upper[j]);
      lower[j] = pmadd(a_lower, b_j, lower[j]);
    }
  }
#pragma GCC unroll 12
  for (Index j = 0; j < Columns; ++j, c += stride) {
    if (j >= width) return;
    if (add) {
      upper[j] = padd(upper[j], ploadu<Packet>(c));
      lower[j] = padd(lower[j], ploadu<Packet>(c + lanes));
    }
    pstoreu(c, upper[j]);
    pstoreu(c + lanes, lower[j]);
  }
}

/// A block of C from the packed panels of A and B: rows × columns, `stride` between the columns of C.
template <class Scalar>
void block_product(Index rows, Index columns, Index depth, const Scalar* a, const Scalar* b, Scalar* c, Index stride,
                   bool add) {
  constexpr Index tile_rows = Tile<Scalar>::rows, tile_columns = Tile<Scalar>::columns;
  Scalar edge[tile_rows * tile_columns];  // takes the tiles that C's last row cuts
  for (Index j = 0; j < columns; j += tile_columns) {
    const Index width = std::min(tile_columns, columns - j);
    for (Index i = 0; i < rows; i += tile_rows) {
      const Index height = std::min(tile_rows, rows - i);
      const bool whole = height == tile_rows;
      Scalar* const to = whole ? c + i + j * stride : edge;
      const Index to_stride = whole ? stride : tile_rows;
      const auto product = width > 2 * tile_columns / 3 ? tile_product<tile_columns, Scalar>
                           : width > tile_columns / 3   ? tile_product<2 * tile_columns / 3, Scalar>
                                                        : tile_product<tile_columns / 3, Scalar>;
      product(depth, a + i * depth, b + j * depth, to, to_stride, width, whole && add);
      if (whole) continue;
      for (Index column = 0; column < width; ++column)
        for (Index row = 0; row < height; ++row) {
          Scalar& value = c[i + row + (j + column) * stride];
          value = edge[row + column * tile_rows] + (add ? value : Scalar(0));
        }
    }
  }
}

/// Rows of a matrix as `PackedMatrix` lays them.
template <class Scalar>
struct PackedRows {
  const Scalar* panels = nullptr;  ///< Of the whole matrix; null: not packed.
  Index rows = 0;                  ///< Of the whole matrix, rounded up to whole tiles.
  Index first = 0;                 ///< The first row that is meant: a multiple of a tile's.
};

/// C = A B, or C = C + A B. `packed`: the rows of A, if they are.
template <class Scalar>
void multiply(StridedMatrix<Scalar> a, PackedRows<Scalar> packed, StridedMatrix<Scalar> b, MatrixRef<Scalar> c,
              bool add) {
  assert(a.columns == b.rows && c.rows() == a.rows && c.cols() == b.columns);
  if (a.columns == 0 && !add)
    for (Index column = 0; column < c.cols(); ++column)
      std::fill_n(c.data() + column * c.outerStride(), c.rows(), Scalar(0));
  static thread_local Buffer<Scalar> a_buffer, b_buffer;
  for (Index k = 0; k < a.columns; k += depth_block) {
    const Index depth = std::min(depth_block, a.columns - k);
    for (Index j = 0; j < b.columns; j += column_block) {
      const Index width = std::min(column_block, b.columns - j);
      Scalar* const b_panels = b_buffer.resize(depth, round_up(width, Tile<Scalar>::columns)).data();
      pack_panels<Tile<Scalar>::columns>(b.block(k, j, depth, width).transposed(), b_panels);
      for (Index i = 0; i < a.rows; i += row_block) {
        const Index height = std::min(row_block, a.rows - i);
        const Scalar* a_panels = nullptr;
        if (packed.panels) {
          a_panels = packed.panels + packed.rows * k + (packed.first + i) * depth;
        } else {
          Scalar* const panels = a_buffer.resize(depth, round_up(height, Tile<Scalar>::rows)).data();
          pack_panels<Tile<Scalar>::rows>(a.block(i, k, height, depth), panels);
          a_panels = panels;
        }
        block_product(height, width, depth, a_panels, b_panels, c.data() + i + j * c.outerStride(), c.outerStride(),
                      add || k > 0);
      }
    }
  }
}

/// to = (from + A b) + plus, for Packets registers of rows, which stay in registers while the columns run past. A null
/// `from` or `plus` stands for zeros.
template <Index Packets, class Scalar>
void column_product(Index depth, const Scalar* a, Index stride, const Scalar* b, const Scalar* from, const Scalar* plus,
                    Scalar* to) {
  using namespace Eigen::internal;
  using Packet = typename Tile<Scalar>::Packet;
  constexpr Index lanes = Tile<Scalar>::lanes;
  Packet sums[Packets];
#pragma GCC unroll 8
  for (Index i = 0; i < Packets; ++i) sums[i] = from ? ploadu<Packet>(from + i * lanes) : pset1<Packet>(Scalar(0));
  for (Index k = 0; k < depth; ++k, a += stride) {
    const Packet b_k = pset1<Packet>(b[k]);
#pragma GCC unroll 8
    for (Index i = 0; i < Packets; ++i) sums[i] = pmadd(ploadu<Packet>(a + i * lanes), b_k, sums[i]);
  }
  if (plus) {
#pragma GCC unroll 8
    for (Index i = 0; i < Packets; ++i) sums[i] = padd(sums[i], ploadu<Packet>(plus + i * lanes));
  }
#pragma GCC unroll 8
  for (Index i = 0; i < Packets; ++i) pstoreu(to + i * lanes, sums[i]);
}

/// C = A B, or C = C + A B, of one column: reads A once, packs and allocates nothing. It adds in the order in which
/// `multiply` does, so that a column has the same bits alone and among others.
template <class Scalar>
void multiply_column(const ConstMatrixRef<Scalar>& a, const Scalar* b, Scalar* c, bool add) {
  constexpr Index lanes = Tile<Scalar>::lanes, most_rows = 1024;
  if (a.cols() == 0 && !add) std::fill_n(c, a.rows(), Scalar(0));
  // A large matrix is read a few columns at a time, because each column is one stream through memory.
  const Index most = a.cols() < 128 ? a.cols() : 16;
  Scalar sums[most_rows];
  for (Index begin = 0; begin < a.rows(); begin += most_rows) {
    const Index height = std::min(most_rows, a.rows() - begin);
    Scalar* const to = c + begin;
    for (Index k = 0, depth = 0; k < a.cols(); k += depth) {
      const Index block = k / depth_block * depth_block, block_end = std::min(block + depth_block, a.cols());
      depth = std::min(most, block_end - k);
      const bool first = k == block, last = k + depth == block_end, plus = last && (add || block > 0);
      const auto rows = [&]<Index Packets>(Index row) {
        column_product<Packets>(depth, a.data() + begin + row + k * a.outerStride(), a.outerStride(), b + k,
                                first ? nullptr : sums + row, plus ? to + row : nullptr, (last ? to : sums) + row);
      };
      Index row = 0;
      for (; row + 8 * lanes <= height; row += 8 * lanes) rows.template operator()<8>(row);
      for (; row + lanes <= height; row += lanes) rows.template operator()<1>(row);
      if (row == height) continue;
      const LastLanePosition<Scalar> at{row, height - row};
      auto sum = first ? at.all(0) : at[sums];
      for (Index j = k; j < k + depth; ++j)
        sum.value =
            Eigen::internal::pmadd(at[a.data() + begin + j * a.outerStride()].value, at.all(b[j]).value, sum.value);
      at.store(last ? to : sums, plus ? sum + at[to] : sum);
    }
  }
}

}  // namespace detail

/// A matrix laid out once to be the left factor of many products, as weights are that meet every step of a sequence.
/// A copy: what happens to the matrix later has no effect. Where memory runs out (std::bad_alloc) it is 0 × 0.
template <class Scalar>
class PackedMatrix {
 public:
  /// Becomes A.
  void pack(const ConstMatrixRef<Scalar>& a) { pack(detail::strided(a)); }
  /// Becomes A at the first call; later calls change nothing.
  void pack_once(const ConstMatrixRef<Scalar>& a) {
    if (columns_ == 0) pack(a);
  }
  /// Becomes Aᵀ.
  void pack_transposed(const ConstMatrixRef<Scalar>& a) { pack(detail::strided(a).transposed()); }

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }

  /// C = A B, or with `add` C = C + A B.
  void multiply(const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c, bool add) const { multiply(0, rows_, b, c, add); }

  /// C = the c.rows() rows of A from `first` on, times B; `first` is a multiple of row_multiple.
  void multiply_rows(Index first, const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c) const {
    multiply(first, c.rows(), b, c, false);
  }
  static constexpr Index row_multiple = detail::Tile<Scalar>::rows;

 private:
  void multiply(Index first, Index count, const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c, bool add) const {
    assert(first % row_multiple == 0 && first + count <= rows_);
    const detail::StridedMatrix<Scalar> shape{nullptr, count, columns_, 0, 0};
    const detail::PackedRows<Scalar> packed{panels_.view().data(), detail::round_up(rows_, row_multiple), first};
    detail::multiply(shape, packed, detail::strided(b), c, add);
  }

  void pack(detail::StridedMatrix<Scalar> a) {
    rows_ = columns_ = 0;  // what it is where memory runs out
    const Index padded_rows = detail::round_up(a.rows, detail::Tile<Scalar>::rows);
    Scalar* panels = panels_.resize(padded_rows, a.columns).data();
    for (Index k = 0; k < a.columns; k += detail::depth_block) {
      const Index depth = std::min(detail::depth_block, a.columns - k);
      detail::pack_panels<detail::Tile<Scalar>::rows>(a.block(0, k, a.rows, depth), panels + padded_rows * k);
    }
    rows_ = a.rows;
    columns_ = a.columns;
  }

  Buffer<Scalar> panels_;
  Index rows_ = 0, columns_ = 0;
};

}  // namespace lstmrec
