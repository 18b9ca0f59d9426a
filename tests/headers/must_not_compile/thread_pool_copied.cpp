// A pool owns running threads, so it has no copy.
// expect: use of deleted function|call to deleted constructor
#include <lstmrec/core/thread_pool.hpp>

int main() {
  lstmrec::ThreadPool pool(1);
#ifdef MUST_NOT_COMPILE
  lstmrec::ThreadPool other(pool);
#else
  lstmrec::ThreadPool other(1);
#endif
  return other.threads() == pool.threads() ? 0 : 1;
}
