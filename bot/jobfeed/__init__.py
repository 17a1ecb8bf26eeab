"""Events of jobs become cards, threads, results and pings."""
