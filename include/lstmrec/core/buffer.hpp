#pragma once

#include <lstmrec/core/matrix.hpp>

namespace lstmrec {

/// A matrix whose memory only ever grows. Batches differ in size from one to the next; giving pages back to the
/// system and faulting them in again would cost more than the arithmetic on them.
template <class Scalar>
class Buffer {
 public:
  using View = MatrixRef<Scalar>;
  using ConstView = ConstMatrixRef<Scalar>;

  /// A rows × columns view with unspecified contents. Where memory runs out (std::bad_alloc) the buffer is empty.
  View resize(Index rows, Index columns) {
    if (storage_.size() < rows * columns) {
      rows_ = columns_ = 0;  // first, so that nothing half done is left where memory runs out
      storage_ = Vector<Scalar>();
      storage_.resize(rows * columns);
    }
    rows_ = rows;
    columns_ = columns;
    return view();
  }

  View view() { return View(storage_.data(), rows_, columns_, rows_); }
  ConstView view() const { return ConstView(storage_.data(), rows_, columns_, rows_); }

 private:
  Vector<Scalar> storage_;
  Index rows_ = 0, columns_ = 0;
};

}  // namespace lstmrec
