"""What the peers' scripts share: the time of one call."""
import time


def best_seconds(function, seconds):
    """The least of two or more calls in about so many seconds, after one that warms up."""
    best, calls = float("inf"), 0
    function()
    end = time.perf_counter() + seconds
    while calls < 2 or time.perf_counter() < end:
        calls += 1
        begin = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - begin)
    return best
