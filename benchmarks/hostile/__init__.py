"""What strangers may send: generators of hostile input, for the suite and for the fuzz.

Each kind has its module and its test in `tests/hostile`: pictures, archives of them, words,
requests, weights and bases. A new way to hand something over gets a module here.
"""
