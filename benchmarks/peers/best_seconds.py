"""What the peers' scripts share: the time of one call."""
import time


def best_seconds(function, seconds):
    """The least of many calls in about so many seconds, after one that warms up."""
    best, end = float("inf"), time.perf_counter() + seconds
    function()
    while time.perf_counter() < end:
        begin = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - begin)
    return best
